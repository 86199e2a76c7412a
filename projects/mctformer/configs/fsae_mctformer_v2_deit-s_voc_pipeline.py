# From tags to the mIoU on PASCAL VOC 2012 val:
# PYTHONPATH=. python tools/pipeline.py \
#     projects/mctformer/configs/fsae_mctformer_v2_deit-s_voc_pipeline.py --gpus 4
_base_ = './mctformer_v2_deit-s_voc_pipeline.py'
title = 'FSAE on MCTformer-V2 with DeiT-S on PASCAL VOC 2012'
localizer = '{{ fileDirname }}/fsae_mctformer_v2_deit-s_voc.py'

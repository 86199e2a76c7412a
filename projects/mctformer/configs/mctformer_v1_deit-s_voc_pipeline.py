# From tags to the mIoU on PASCAL VOC 2012 val:
# PYTHONPATH=. python tools/pipeline.py \
#     projects/mctformer/configs/mctformer_v1_deit-s_voc_pipeline.py --gpus 4
_base_ = './mctformer_v2_deit-s_voc_pipeline.py'
title = 'MCTformer-V1 with DeiT-S on PASCAL VOC 2012'
localizer = '{{ fileDirname }}/mctformer_v1_deit-s_voc.py'

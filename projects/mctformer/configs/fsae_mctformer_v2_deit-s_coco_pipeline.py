# From tags to the mIoU on COCO 2014 val:
# PYTHONPATH=. python tools/pipeline.py \
#     projects/mctformer/configs/fsae_mctformer_v2_deit-s_coco_pipeline.py --gpus 4
_base_ = './mctformer_v2_deit-s_coco_pipeline.py'
title = 'FSAE on MCTformer-V2 with DeiT-S on COCO 2014'
localizer = '{{ fileDirname }}/fsae_mctformer_v2_deit-s_coco.py'

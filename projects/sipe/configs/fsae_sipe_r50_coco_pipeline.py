# From tags to a segmentation model:
# PYTHONPATH=. python tools/pipeline.py \
#     projects/sipe/configs/fsae_sipe_r50_coco_pipeline.py --gpus 4
_base_ = './sipe_r50_coco_pipeline.py'
title = 'FSAE on SIPE with ResNet-50 on COCO 2014'
localizer = '{{ fileDirname }}/fsae_sipe_r50_coco.py'

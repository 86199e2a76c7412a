# From tags to the mIoU on COCO 2014 val:
# python tools/pipeline.py configs/cam/cam_r50_coco_pipeline.py --gpus 4
# Elsewhere than in data/coco: --cfg-options data_root=/data/coco
_base_ = '../_base_/recipes/coco.py'
title = 'CAM with ResNet-50 on COCO 2014'
localizer = '{{ fileDirname }}/cam_r50_coco.py'

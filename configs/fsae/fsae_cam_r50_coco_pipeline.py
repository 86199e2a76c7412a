# From tags to a segmentation model:
# python tools/pipeline.py configs/fsae/fsae_cam_r50_coco_pipeline.py --gpus 4
_base_ = '../cam/cam_r50_coco_pipeline.py'
title = 'FSAE on CAM with ResNet-50 on COCO 2014'
localizer = '{{ fileDirname }}/fsae_cam_r50_coco.py'

# From tags to the mIoU on PASCAL VOC 2012 val:
# python tools/pipeline.py configs/cam/cam_r50_voc_pipeline.py --gpus 4
# Elsewhere than in data/: --cfg-options data_root=/data/VOCdevkit/VOC2012
_base_ = ['../_base_/recipes/cam.py', '../_base_/recipes/voc.py']
title = 'CAM with ResNet-50 on PASCAL VOC 2012'
localizer = '{{ fileDirname }}/cam_r50_voc.py'

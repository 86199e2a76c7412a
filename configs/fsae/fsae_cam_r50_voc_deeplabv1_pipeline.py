# From tags to a segmentation model:
# python tools/pipeline.py configs/fsae/fsae_cam_r50_voc_deeplabv1_pipeline.py --gpus 4
_base_ = './fsae_cam_r50_voc_pipeline.py'
title = 'FSAE on CAM with ResNet-50 on PASCAL VOC 2012, DeepLab v1'
segmentor = '{{ fileDirname }}/../deeplab/deeplabv1_r101_voc.py'

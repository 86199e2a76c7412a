# As fsae_sipe_r50_voc_pipeline.py, with DeepLab v1:
# PYTHONPATH=. python tools/pipeline.py \
#     projects/sipe/configs/fsae_sipe_r50_voc_deeplabv1_pipeline.py --gpus 4
_base_ = './fsae_sipe_r50_voc_pipeline.py'
title = 'FSAE on SIPE with ResNet-50 on PASCAL VOC 2012, DeepLab v1'
segmentor = '{{ fileDirname }}/../../../configs/deeplab/deeplabv1_r101_voc.py'

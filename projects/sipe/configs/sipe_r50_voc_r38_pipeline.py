# As sipe_r50_voc_pipeline.py, with DeepLab on WideResNet38:
# PYTHONPATH=. python tools/pipeline.py \
#     projects/sipe/configs/sipe_r50_voc_r38_pipeline.py --gpus 4
_base_ = './sipe_r50_voc_pipeline.py'
title = 'SIPE with ResNet-50 on PASCAL VOC 2012, DeepLab on WideResNet38'
segmentor = '{{ fileDirname }}/../../../configs/deeplab/deeplabv1_wide-r38_voc.py'

# From tags to a segmentation model:
# PYTHONPATH=. python tools/pipeline.py \
#     projects/sipe/configs/fsae_sipe_r50_voc_pipeline.py --gpus 4
_base_ = './sipe_r50_voc_pipeline.py'
title = 'FSAE on SIPE with ResNet-50 on PASCAL VOC 2012'
localizer = '{{ fileDirname }}/fsae_sipe_r50_voc.py'

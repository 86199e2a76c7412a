# From tags to a segmentation model:
# PYTHONPATH=. python tools/pipeline.py \
#     projects/sipe/configs/fsae_sipe_mobilenetv1_animals_pipeline.py
_base_ = './sipe_mobilenetv1_animals_pipeline.py'
title = 'FSAE on SIPE with MobileNetV1 on six animals of PASCAL VOC 2012'
localizer = '{{ fileDirname }}/fsae_sipe_mobilenetv1_animals.py'

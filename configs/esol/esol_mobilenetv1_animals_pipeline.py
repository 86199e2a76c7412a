# From tags to a segmentation model of six animals of PASCAL VOC, on a CPU:
# python tools/pipeline.py configs/esol/esol_mobilenetv1_animals_pipeline.py
_base_ = ['../_base_/recipes/esol.py', '../_base_/recipes/animals.py']
title = 'ESOL with MobileNetV1 on six animals of PASCAL VOC 2012'
localizer = '{{ fileDirname }}/esol_mobilenetv1_animals.py'

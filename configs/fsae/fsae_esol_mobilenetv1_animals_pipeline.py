# From tags to a segmentation model:
# python tools/pipeline.py configs/fsae/fsae_esol_mobilenetv1_animals_pipeline.py
_base_ = '../esol/esol_mobilenetv1_animals_pipeline.py'
title = 'FSAE on ESOL with MobileNetV1 on six animals of PASCAL VOC 2012'
localizer = '{{ fileDirname }}/fsae_esol_mobilenetv1_animals.py'

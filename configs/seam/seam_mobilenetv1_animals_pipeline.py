# From tags to a segmentation model of six animals of PASCAL VOC, on a CPU:
# python tools/pipeline.py configs/seam/seam_mobilenetv1_animals_pipeline.py
_base_ = '../psa/psa_mobilenetv1_animals_pipeline.py'
title = 'SEAM with MobileNetV1 on six animals of PASCAL VOC 2012'
localizer = '{{ fileDirname }}/seam_mobilenetv1_animals.py'

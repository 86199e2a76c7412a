# From tags to a segmentation model of six animals of PASCAL VOC by CAM and IRN, on
# a CPU:
# python tools/pipeline.py configs/irn/irn_mobilenetv1_animals_pipeline.py
_base_ = ['../_base_/recipes/cam_irn.py', '../_base_/recipes/animals.py']
title = 'CAM and IRN with MobileNetV1 on six animals of PASCAL VOC 2012'
localizer = '{{ fileDirname }}/../cam/cam_mobilenetv1_animals.py'
irn = '{{ fileDirname }}/irn_mobilenetv1_animals.py'
# As far from the seeds' best threshold, 0.25, as IRN's are from its own.
conf_fg = 0.4
conf_bg = 0.15
protocol = dict(
    scales='0.5, 1, 1.5 and flips for seeds; 1 and flip for boundaries; 1 for '
    'segmentation')

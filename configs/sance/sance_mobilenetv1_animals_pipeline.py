# From tags to a segmentation model by SANCE:
# python tools/pipeline.py configs/sance/sance_mobilenetv1_animals_pipeline.py
_base_ = ['../_base_/recipes/sance.py', '../_base_/recipes/animals.py']
title = 'SANCE with MobileNetV1 on six animals of PASCAL VOC 2012'
localizer = '{{ fileDirname }}/../cam/cam_mobilenetv1_animals.py'
sance = '{{ fileDirname }}/sance_mobilenetv1_animals.py'
# The maps of a small classifier are wide.
conf_fg = 0.40
conf_bg = 0.15
protocol = dict(
    split='labels on train, segmentation on val',
    scales='0.5, 1, 1.5 and flips for seeds and SANCE; 1 for segmentation')

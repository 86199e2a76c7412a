# From tags to a segmentation model of six animals of PASCAL VOC, on a CPU:
# PYTHONPATH=. python tools/pipeline.py \
#     projects/sipe/configs/sipe_mobilenetv1_animals_pipeline.py
_base_ = ['./_base_/recipes/sipe.py', '../../../configs/_base_/recipes/animals.py']
title = 'SIPE with MobileNetV1 on six animals of PASCAL VOC 2012'
localizer = '{{ fileDirname }}/sipe_mobilenetv1_animals.py'
irn = '{{ fileDirname }}/../../../configs/irn/irn_mobilenetv1_animals.py'
protocol = dict(
    threshold='none: seeds have a background of their own',
    scales='0.5, 1, 1.5 and flips for seeds; 1 and flip for boundaries; 1 for '
    'segmentation')

# From tags to a segmentation model on generated scenes by CAM and IRN, in minutes
# on two CPU cores:
# python tools/pipeline.py configs/irn/irn_demo_pipeline.py
_base_ = ['../_base_/recipes/cam_irn.py', '../_base_/recipes/demo.py']
title = 'CAM and IRN on generated scenes'
localizer = '{{ fileDirname }}/../cam/cam_demo.py'
irn = '{{ fileDirname }}/irn_demo.py'
# Around the best threshold of these seeds.
conf_fg = 0.45
conf_bg = 0.2
protocol = dict(
    scales='0.5, 1, 1.5, 2 and flips for seeds; 1 and flip for boundaries; 1 for '
    'segmentation')
steps = [_base_.data_step, *_base_.steps]

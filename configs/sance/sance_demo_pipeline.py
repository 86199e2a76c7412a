# From tags to a segmentation model by SANCE:
# python tools/pipeline.py configs/sance/sance_demo_pipeline.py
_base_ = ['../_base_/recipes/sance.py', '../_base_/recipes/demo.py']
title = 'SANCE on generated scenes'
localizer = '{{ fileDirname }}/../cam/cam_demo.py'
sance = '{{ fileDirname }}/sance_demo.py'
conf_fg = 0.30
conf_bg = 0.05
protocol = dict(
    split='labels on train, segmentation on val',
    scales='0.5, 1, 1.5, 2 and flips for seeds and SANCE; 1 for segmentation',
    supervision='I (image labels); masks of train only measure')
steps = [_base_.data_step, *_base_.steps]

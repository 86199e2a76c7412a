# From tags to a segmentation model on generated scenes, in minutes on two CPU
# cores:
# python tools/pipeline.py configs/single_stage/single_stage_demo_pipeline.py
_base_ = ['../_base_/recipes/single_stage.py', '../_base_/recipes/demo.py']
title = 'Single-stage segmentation on generated scenes'
localizer = '{{ fileDirname }}/single_stage_demo.py'
protocol = dict(
    threshold='none: masks have a background of their own')
steps = [_base_.data_step, *_base_.steps]

# From tags to a segmentation model on generated scenes, in minutes on two CPU
# cores:
# python tools/pipeline.py configs/esol/esol_demo_pipeline.py
_base_ = ['../_base_/recipes/esol.py', '../_base_/recipes/demo.py']
title = 'ESOL on generated scenes'
localizer = '{{ fileDirname }}/esol_demo.py'
steps = [_base_.data_step, *_base_.steps]

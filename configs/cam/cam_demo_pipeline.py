# From tags to a segmentation model on generated scenes, in minutes on two CPU
# cores:
# python tools/pipeline.py configs/cam/cam_demo_pipeline.py
_base_ = ['../_base_/recipes/cam.py', '../_base_/recipes/demo.py']
title = 'CAM on generated scenes'
localizer = '{{ fileDirname }}/cam_demo.py'
steps = [_base_.data_step, *_base_.steps]

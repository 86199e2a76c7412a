# From tags to a segmentation model on generated scenes, in minutes on two CPU
# cores:
# python tools/pipeline.py configs/psa/psa_demo_pipeline.py
_base_ = ['../_base_/recipes/psa.py', '../_base_/recipes/demo.py']
title = 'PSA on generated scenes'
localizer = '{{ fileDirname }}/../cam/cam_demo.py'
affinity = '{{ fileDirname }}/psa_demo.py'
protocol = dict(threshold='best mIoU on train for seeds, a fixed power for the walk')
steps = [_base_.data_step, *_base_.steps]

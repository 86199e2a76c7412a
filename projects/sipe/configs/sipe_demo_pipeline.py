# From tags to a segmentation model on generated scenes, on a CPU:
# PYTHONPATH=. python tools/pipeline.py projects/sipe/configs/sipe_demo_pipeline.py
_base_ = ['./_base_/recipes/sipe.py', '../../../configs/_base_/recipes/demo.py']
title = 'SIPE on generated scenes'
localizer = '{{ fileDirname }}/sipe_demo.py'
irn = '{{ fileDirname }}/../../../configs/irn/irn_demo.py'
protocol = dict(
    threshold='none: seeds have a background of their own',
    scales='0.5, 1, 1.5, 2 and flips for seeds; 1 and flip for boundaries; 1 for '
    'segmentation')
steps = [_base_.data_step, *_base_.steps]

# From tags to a segmentation of generated scenes with a random CLIP, on a CPU:
# PYTHONPATH=. python tools/pipeline.py projects/weclip/configs/weclip_demo_pipeline.py
_base_ = ['./_base_/recipes/weclip.py', '../../../configs/_base_/recipes/demo.py']
title = 'WeCLIP on generated scenes, by a CLIP of random weights'
localizer = '{{ fileDirname }}/weclip_demo.py'
weights = 'random'
protocol = dict(
    threshold='none: masks have a background of their own',
    scales='long side 96; 1, 0.75 and flips',
    weights='none: CLIP is random, and so are its labels')
steps = [_base_.data_step, *_base_.steps]

# WeCLIP and IRN on generated scenes with a random CLIP, on a CPU:
# PYTHONPATH=. python tools/pipeline.py \
#     projects/weclip/configs/weclip_irn_demo_pipeline.py
_base_ = ['./_base_/recipes/weclip_irn.py', '../../../configs/_base_/recipes/demo.py']
title = 'WeCLIP and IRN on generated scenes, by a CLIP of random weights'
localizer = '{{ fileDirname }}/weclip_demo.py'
irn = '{{ fileDirname }}/../../../configs/irn/irn_demo.py'
weights = 'random'
protocol = dict(
    threshold='none: seeds have a background of their own',
    scales='long side 96; 1, 0.75 and flips; 1 and flip for boundaries; 1 for DeepLab',
    weights='none: CLIP is random, and so are its labels')
steps = [_base_.data_step, *_base_.steps]

# CLIP-ES and IRN on generated scenes with a random CLIP, on a CPU:
# PYTHONPATH=. python tools/pipeline.py \
#     projects/clip_es/configs/clip_es_irn_demo_pipeline.py
_base_ = ['./_base_/recipes/clip_es_irn.py', '../../../configs/_base_/recipes/demo.py']
title = 'CLIP-ES and IRN on generated scenes, by a CLIP of random weights'
localizer = '{{ fileDirname }}/clip_es_demo.py'
irn = '{{ fileDirname }}/../../../configs/irn/irn_demo.py'
weights = 'random'
protocol = dict(
    threshold='1 - max or (1 - max) ** 2 of seeds, the best of a sweep after the walk, '
    'both on train',
    scales='1 without flip for seeds; 1 and flip for boundaries; 1 for segmentation',
    weights='none: CLIP is random, and so are its seeds')
steps = [_base_.data_step, *_base_.steps]

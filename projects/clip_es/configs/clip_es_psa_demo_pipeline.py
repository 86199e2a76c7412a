# CLIP-ES and PSA on generated scenes with a random CLIP, on a CPU:
# PYTHONPATH=. python tools/pipeline.py \
#     projects/clip_es/configs/clip_es_psa_demo_pipeline.py
_base_ = ['./_base_/recipes/clip_es_psa.py', '../../../configs/_base_/recipes/demo.py']
title = 'CLIP-ES and PSA on generated scenes, by a CLIP of random weights'
localizer = '{{ fileDirname }}/clip_es_demo.py'
affinity = '{{ fileDirname }}/../../../configs/psa/psa_demo.py'
weights = 'random'
protocol = dict(
    threshold='1 - max or (1 - max) ** 2 of seeds on train, a fixed power for the walk',
    scales='1 without flip for seeds; 1 for affinities and segmentation',
    weights='none: CLIP is random, and so are its seeds')
steps = [_base_.data_step, *_base_.steps]

# ESOL's seeds refined by PSA, on generated scenes:
# python tools/pipeline.py configs/esol/esol_psa_demo_pipeline.py
_base_ = ['./esol_demo_pipeline.py', '../_base_/pipelines/affinity.py']
title = 'ESOL and PSA on generated scenes'
affinity = '{{ fileDirname }}/../psa/psa_demo.py'
for step in _base_.affinity_steps:
    if 'seeds' in step:
        step['seeds'] = '{seeds_shrink}'
del step
steps = [
    # All but ESOL's own pseudo labels and their score; then the model's.
    *_base_.steps[:1],
    *_base_.localization_steps[:-2],
    *_base_.affinity_steps,
    *_base_.segmentation_steps,
    _base_.report_step,
]

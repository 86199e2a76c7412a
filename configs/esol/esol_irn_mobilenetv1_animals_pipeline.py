# ESOL whose seeds walk inside the boundaries of IRN, on six animals:
# python tools/pipeline.py configs/esol/esol_irn_mobilenetv1_animals_pipeline.py
_base_ = ['esol_mobilenetv1_animals_pipeline.py', '../_base_/pipelines/irn.py']
irn = '{{ fileDirname }}/../irn/irn_mobilenetv1_animals.py'
# As far from the seeds' best threshold, 0.47, as IRN's are from its own.
conf_fg = 0.62
conf_bg = 0.37
for step in _base_.irn_steps:
    if step.get('seeds') == '{seeds}':
        step['seeds'] = '{seeds_shrink}'
first = [step['name'] for step in _base_.steps].index('pseudo_labels')
report = _base_.steps[-1]
report['thresholds']['after IRN'] = '{score_walk}/details.json'
report['curves'].insert(
    1, dict(title='Training of IRN', train='{train_irn}'))
# IRN's steps in place of the dense CRF and its score.
steps = [
    *_base_.steps[:first], *_base_.irn_steps, *_base_.steps[first + 2:]
]
title = _base_.title.replace('ESOL', 'ESOL and IRN')
del step, first, report

# ESOL's seeds refined by PSA, on generated scenes:
# python tools/pipeline.py configs/esol/esol_psa_demo_pipeline.py
_base_ = ['../_base_/recipes/esol_psa.py', '../_base_/recipes/demo.py']
title = 'ESOL and PSA on generated scenes'
localizer = '{{ fileDirname }}/esol_demo.py'
affinity = '{{ fileDirname }}/../psa/psa_demo.py'
steps = [_base_.data_step, *_base_.steps]

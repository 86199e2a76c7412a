# ESOL whose seeds walk inside the boundaries of IRN, on generated scenes:
# python tools/pipeline.py configs/esol/esol_irn_demo_pipeline.py
_base_ = ['../_base_/recipes/esol_irn.py', '../_base_/recipes/demo.py']
title = 'ESOL and IRN on generated scenes'
localizer = '{{ fileDirname }}/esol_demo.py'
irn = '{{ fileDirname }}/../irn/irn_demo.py'
# Around the best threshold of these seeds.
conf_fg = 0.45
conf_bg = 0.2
steps = [_base_.data_step, *_base_.steps]

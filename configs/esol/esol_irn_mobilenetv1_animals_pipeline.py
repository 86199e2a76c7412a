# ESOL whose seeds walk inside the boundaries of IRN, on six animals:
# python tools/pipeline.py configs/esol/esol_irn_mobilenetv1_animals_pipeline.py
_base_ = ['../_base_/recipes/esol_irn.py', '../_base_/recipes/animals.py']
title = 'ESOL and IRN with MobileNetV1 on six animals of PASCAL VOC 2012'
localizer = '{{ fileDirname }}/esol_mobilenetv1_animals.py'
irn = '{{ fileDirname }}/../irn/irn_mobilenetv1_animals.py'
# As far from the seeds' best threshold, 0.47, as IRN's are from its own.
conf_fg = 0.62
conf_bg = 0.37

# ESOL's first stage, whose seeds walk inside the boundaries of IRN, on six animals:
# python tools/pipeline.py \
#     configs/esol/esol_classify_irn_mobilenetv1_animals_pipeline.py
_base_ = '../irn/irn_mobilenetv1_animals_pipeline.py'
title = 'First stage of ESOL and IRN with MobileNetV1 on six animals of PASCAL VOC 2012'
localizer = '{{ fileDirname }}/esol_classify_mobilenetv1_animals.py'
irn = '{{ fileDirname }}/../irn/irn_mobilenetv1_animals.py'
# As far from the seeds' best threshold, 0.19, as IRN's are from its own.
conf_fg = 0.34
conf_bg = 0.09

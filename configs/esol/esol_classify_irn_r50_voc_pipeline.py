# ESOL's first stage, whose seeds walk inside the boundaries of IRN:
# python tools/pipeline.py configs/esol/esol_classify_irn_r50_voc_pipeline.py
_base_ = '../irn/irn_r50_voc_pipeline.py'
title = 'First stage of ESOL and IRN with ResNet-50 on PASCAL VOC 2012'
localizer = '{{ fileDirname }}/esol_classify_r50_voc.py'
irn = '{{ fileDirname }}/../irn/irn_r50_voc.py'

# From tags to a segmentation model:
# python tools/pipeline.py configs/fsae/fsae_esol_demo_pipeline.py
_base_ = '../esol/esol_demo_pipeline.py'
title = 'FSAE on ESOL, generated scenes'
localizer = '{{ fileDirname }}/fsae_esol_demo.py'

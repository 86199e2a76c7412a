# From tags to a segmentation model on generated scenes, in minutes on two CPU
# cores:
# python tools/pipeline.py configs/seam/seam_demo_pipeline.py
_base_ = '../psa/psa_demo_pipeline.py'
title = 'SEAM on generated scenes'
localizer = '{{ fileDirname }}/seam_demo.py'

# From tags to a segmentation model:
# PYTHONPATH=. python tools/pipeline.py projects/sipe/configs/fsae_sipe_demo_pipeline.py
_base_ = './sipe_demo_pipeline.py'
title = 'FSAE on SIPE on generated scenes'
localizer = '{{ fileDirname }}/fsae_sipe_demo.py'

# From tags to a segmentation model:
# python tools/pipeline.py configs/fsae/fsae_cam_demo_pipeline.py
_base_ = '../cam/cam_demo_pipeline.py'
title = 'FSAE on CAM, generated scenes'
localizer = '{{ fileDirname }}/fsae_cam_demo.py'

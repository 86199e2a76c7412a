# From tags to a segmentation model:
# python tools/pipeline.py configs/fsae/fsae_esol_folder_pipeline.py
_base_ = '../esol/esol_folder_pipeline.py'
title = 'FSAE on ESOL, my own photos'
localizer = '{{ fileDirname }}/fsae_esol_folder.py'

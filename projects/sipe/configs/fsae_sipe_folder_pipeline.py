# Your own tagged images by FSAE on SIPE and IRN:
# PYTHONPATH=. python tools/pipeline.py \
#     projects/sipe/configs/fsae_sipe_folder_pipeline.py \
#     --cfg-options data_root=my_photos
_base_ = './sipe_folder_pipeline.py'
title = 'FSAE on SIPE and IRN on my own photos'
localizer = '{{ fileDirname }}/fsae_sipe_r50_folder.py'

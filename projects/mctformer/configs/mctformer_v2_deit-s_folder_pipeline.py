# Your own tagged images by MCTformer-V2 and IRN, no mask needed;
# docs/en/own_photos.md says how to lay them out:
# PYTHONPATH=. python tools/pipeline.py \
#     projects/mctformer/configs/mctformer_v2_deit-s_folder_pipeline.py \
#     --cfg-options data_root=my_photos
_base_ = '../../../configs/irn/irn_folder_pipeline.py'
title = 'MCTformer-V2 and IRN on my own images'
localizer = '{{ fileDirname }}/mctformer_v2_deit-s_folder.py'
protocol = dict(scales='1 and flip for seeds; 1 for segmentation')

# Your own tagged images by PPC on SEAM and IRN, no mask needed; docs/en/own_photos.md
# says how to lay them out:
# PYTHONPATH=. python tools/pipeline.py \
#     projects/eps_ppc/configs/ppc_seam_folder_pipeline.py \
#     --cfg-options data_root=my_photos
_base_ = '../../../configs/irn/irn_folder_pipeline.py'
title = 'PPC on SEAM and IRN on my own images'
localizer = '{{ fileDirname }}/ppc_seam_r50_folder.py'

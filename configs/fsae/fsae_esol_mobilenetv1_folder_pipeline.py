# Your own tagged images by FSAE on ESOL on a CPU. mmwsss run my_photos --method fsae
# --preset cpu calls this:
# python tools/pipeline.py configs/fsae/fsae_esol_mobilenetv1_folder_pipeline.py \
#     --cfg-options data_root=my_photos
_base_ = '../esol/esol_mobilenetv1_folder_pipeline.py'
title = 'FSAE on ESOL, my own photos'
localizer = '{{ fileDirname }}/fsae_esol_mobilenetv1_folder.py'

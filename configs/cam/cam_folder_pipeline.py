# Your own tagged images by CAM, no mask needed; docs/en/own_photos.md says how to lay
# them out. mmwsss run my_photos --method cam calls this:
# python tools/pipeline.py configs/cam/cam_folder_pipeline.py \
#     --cfg-options data_root=my_photos
_base_ = '../_base_/recipes/folder.py'
title = 'CAM on my own photos'
localizer = '{{ fileDirname }}/cam_folder.py'
steps = [
    _base_.train_localizer,
    _base_.seeds,
    dict(_base_.choose, stages=dict(CAM='{seeds}')),
    _base_.pseudo_labels,
    _base_.check_labels,
    *_base_.folder_steps,
    dict(_base_.report_step, checks=_base_.stage_checks),
]

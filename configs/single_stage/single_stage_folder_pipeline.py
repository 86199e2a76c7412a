# Your own tagged images by single-stage training, no mask needed; docs/en/own_photos.md
# says how to lay them out. mmwsss run my_photos --method single_stage calls this:
# python tools/pipeline.py configs/single_stage/single_stage_folder_pipeline.py \
#     --cfg-options data_root=my_photos
_base_ = '../_base_/recipes/folder.py'
title = 'Single-stage segmentation of my own photos'
localizer = '{{ fileDirname }}/single_stage_folder.py'
protocol = dict(
    threshold='none: masks have a background of their own',
    scales='0.5, 1, 1.5, 2 and flips for pseudo labels; 1 for segmentation')
steps = [
    dict(_base_.train_localizer, show=['mask/mIoU']),
    dict(_base_.seeds, name='pseudo_labels', refiner='config'),
    dict(_base_.check_labels, seeds=None, bg_thr=None),
    *_base_.folder_steps,
    dict(_base_.report_step, sections=[_base_.section]),
]

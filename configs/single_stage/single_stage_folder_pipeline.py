# Your own tagged images, no mask needed; docs/en/own_photos.md says how to lay
# them out:
# python tools/pipeline.py configs/single_stage/single_stage_folder_pipeline.py \
#     --cfg-options data_root=my_photos
_base_ = '../_base_/recipes/folder.py'
title = 'Single-stage segmentation of my own photos'
localizer = '{{ fileDirname }}/single_stage_folder.py'
protocol = dict(
    threshold='none: masks have a background of their own',
    scales='0.5, 1, 1.5, 2 and flips for pseudo labels; 1 for segmentation')
steps = [
    dict(name='train_localizer', type='train', config='{localizer}'),
    dict(
        name='pseudo_labels', type='seeds', config='{localizer}',
        checkpoint='{train_localizer}/last_checkpoint',
        refiner='config'),
    *_base_.folder_steps,
    dict(
        _base_.report_step,
        sections=[_base_.section],
        curves=[
            dict(title='Training of the network', train='{train_localizer}'),
            _base_.curve
        ])
]

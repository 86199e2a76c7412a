# Your own tagged images by SIPE and IRN, no mask needed; docs/en/own_photos.md says
# how to lay them out:
# PYTHONPATH=. python tools/pipeline.py projects/sipe/configs/sipe_folder_pipeline.py \
#     --cfg-options data_root=my_photos
_base_ = [
    './_base_/recipes/sipe_labels.py',
    '../../../configs/_base_/recipes/folder.py'
]
title = 'SIPE and IRN on my own photos'
localizer = '{{ fileDirname }}/sipe_r50_folder.py'
irn = '{{ fileDirname }}/../../../configs/irn/irn_folder.py'
protocol = dict(threshold='none: seeds have a background of their own')
steps = [
    dict(name='train_localizer', type='train', config='{localizer}'),
    _base_.seeds,
    # Labels, training and walk; nothing is scored.
    _base_.label_step,
    *_base_.walk_steps,
    dict(
        name='check_labels', type='check', config='{localizer}',
        labels='{pseudo_labels}',
        training='{train_localizer}'),
    *_base_.folder_steps,
    dict(
        _base_.report_step,
        sections=[
            dict(
                _base_.section,
                columns=[dict(title='Seed', seeds='{seeds}'), *_base_.columns])
        ],
        curves=[
            dict(title='Training of the classifier', train='{train_localizer}'),
            _base_.irn_curve,
            _base_.curve
        ])
]

# Seeds of a classifier, pseudo labels by dense CRF, and rounds of self-training: a
# segmentation model learns the labels, labels the photos anew by their tags, and so
# on; the last labels train the final model.
# The recipe gives: localizer and segmentor (configs, the latter with a
# seed_dataloader), and a data set, such as voc.py.
_base_ = './cam.py'
rounds = (1, 2)
# What each round learns from, and the seeds of the last one.
learnt = ('first_labels', 'labels_1')
made = ('labels_1', 'pseudo_labels')
first_steps = [
    *_base_.localization_steps[:3],
    dict(_base_.localization_steps[3], name='first_labels'),
    dict(
        _base_.localization_steps[4], name='score_first_labels',
        masks='{first_labels}'),
]
round_steps = [
    step for number, labels, new_labels in zip(
        rounds, learnt, made, strict=True) for step in (
        dict(
            name=f'train_{number}', type='train', config='{segmentor}',
            cfg_options={
                'train_dataloader.dataset.data_prefix.seg_map_path': f'{{{labels}}}'
            },
            show=['mIoU']),
        dict(
            name=f'seeds_{number}', type='seeds', config='{segmentor}',
            checkpoint=f'{{train_{number}}}/last_checkpoint'),
        dict(
            _base_.localization_steps[2], name=f'score_seeds_{number}',
            seeds=f'{{seeds_{number}}}'),
        dict(
            _base_.localization_steps[3], name=new_labels,
            seeds=f'{{seeds_{number}}}',
            bg_thr=f'{{score_seeds_{number}:seed/threshold}}'),
        dict(
            _base_.localization_steps[4], name=f'score_{new_labels}',
            masks=f'{{{new_labels}}}'),
    )
]
self_training_report_step = dict(
    _base_.report_step,
    headline=[
        *_base_.report_step['headline'][:1],
        dict(title='First labels mIoU', value='{score_first_labels:mask/mIoU}'),
        *_base_.headline
    ],
    sections=[
        dict(
            _base_.train_section,
            columns=[
                _base_.seed_column,
                dict(title='First label', masks='{first_labels}'), *_base_.columns
            ]), _base_.val_section
    ],
    thresholds={
        'classifier': '{score_seeds}/details.json',
        **{f'round {number}': f'{{score_seeds_{number}}}/details.json'
           for number in rounds}
    },
    curves=[
        _base_.report_step['curves'][0],
        *(dict(title=f'Training of round {number}', train=f'{{train_{number}}}')
          for number in rounds), *_base_.curves
    ])
steps = [
    *first_steps, *round_steps, *_base_.segmentation_steps, self_training_report_step
]

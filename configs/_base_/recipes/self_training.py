# Seeds of a classifier, pseudo labels by dense CRF, and self-training: a segmentation
# model learns these labels and labels the images anew, by their tags; its labels train
# the final model.
# The recipe gives: localizer and segmentor (configs, the latter with a
# seed_dataloader), and a data set, such as voc.py.
_base_ = './cam.py'
train_localizer, seeds, score_seeds, labels, score_labels = _base_.localization_steps
self_training_steps = [
    train_localizer,
    seeds,
    score_seeds,
    dict(labels, name='first_labels'),
    dict(score_labels, name='score_first_labels', masks='{first_labels}'),
    dict(
        _base_.segmentation_steps[0], name='train_1',
        cfg_options={
            'train_dataloader.dataset.data_prefix.seg_map_path': '{first_labels}'
        }),
    dict(
        name='seeds_1', type='seeds', config='{segmentor}',
        checkpoint='{train_1}/last_checkpoint'),
    dict(score_seeds, name='score_seeds_1', seeds='{seeds_1}'),
    dict(labels, seeds='{seeds_1}', bg_thr='{score_seeds_1:seed/threshold}'),
    score_labels,
]
del train_localizer, seeds, score_seeds, labels, score_labels
self_training_report_step = dict(
    _base_.report_step,
    headline=[
        _base_.report_step['headline'][0],
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
        'segmentation model': '{score_seeds_1}/details.json'
    },
    curves=[
        _base_.report_step['curves'][0],
        dict(title='Training on the first labels', train='{train_1}'), *_base_.curves
    ])
steps = [
    *self_training_steps, *_base_.segmentation_steps, self_training_report_step
]

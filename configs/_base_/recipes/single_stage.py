# One training, pseudo labels, which are its masks of train, cleaned by the image
# labels, through dense CRF, and a segmentation model.
# The recipe gives: localizer (config), and a data set, such as voc.py.
_base_ = './segmentation.py'
localization_steps = [
    dict(name='train_localizer', type='train', config='{localizer}', show=['mIoU']),
    dict(
        name='test_localizer', type='test', config='{localizer}',
        checkpoint='{train_localizer}/last_checkpoint',
        tta=True,
        masks=True,
        show=['mIoU', 'mAcc']),
    dict(
        name='pseudo_labels', type='seeds', config='{localizer}',
        checkpoint='{train_localizer}/last_checkpoint',
        refiner='config'),
    dict(
        name='score_pseudo_labels', type='score_masks', config='{localizer}',
        masks='{pseudo_labels}',
        cfg_options={'val_dataloader.dataset.ann_file': '{score_list}'},
        show=['mask/mIoU', 'mask/precision', 'mask/recall', 'mask/F1']),
]
report_step = dict(
    name='report', type='report', config='{localizer}',
    cfg_options={
        'val_dataloader.dataset.ann_file': '{score_list}',
        'test_dataloader.dataset.ann_file': '{val_list}'
    },
    headline=[
        dict(
            title='mIoU on val of the single-stage model',
            value='{test_localizer:mIoU}'), *_base_.headline
    ],
    sections=[
        _base_.train_section,
        dict(
            _base_.val_section,
            columns=[
                dict(title='Single stage', masks='{test_localizer}/masks'),
                dict(title='Segmentation', masks='{test}/masks'),
            ])
    ],
    curves=[
        dict(title='Single-stage training', train='{train_localizer}'),
        *_base_.curves
    ])
steps = [*localization_steps, *_base_.segmentation_steps, report_step]

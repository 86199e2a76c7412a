# One training, and pseudo labels: its masks of train, cleaned by the image
# labels, through dense CRF.
# The recipe gives: localizer (config), score_list (ids of photos of train that
# have masks to measure by), val_list.
localization_steps = [
    dict(
        name='train_localizer',
        type='train',
        config='{localizer}',
        show=['mIoU']),
    dict(
        name='test_localizer',
        type='test',
        config='{localizer}',
        checkpoint='{train_localizer}/last_checkpoint',
        tta=True,
        masks=True,
        show=['mIoU', 'mAcc']),
    dict(
        name='pseudo_labels',
        type='seeds',
        config='{localizer}',
        checkpoint='{train_localizer}/last_checkpoint',
        refiner='config'),
    dict(
        name='score_pseudo_labels',
        type='score_masks',
        config='{localizer}',
        masks='{pseudo_labels}',
        cfg_options={'val_dataloader.dataset.ann_file': '{score_list}'},
        show=['mask/mIoU', 'mask/precision', 'mask/recall', 'mask/F1']),
]
report_step = dict(
    name='report',
    type='report',
    config='{localizer}',
    cfg_options={
        'val_dataloader.dataset.ann_file': '{score_list}',
        'test_dataloader.dataset.ann_file': '{val_list}'
    },
    headline=[
        dict(
            title='mIoU on val of the single-stage model',
            value='{test_localizer:mIoU}'),
        dict(
            title='Pseudo label mIoU',
            value='{score_pseudo_labels:mask/mIoU}'),
        dict(
            title='Segmentation mIoU on val',
            value='{test:mIoU}',
            full='{test_full:mIoU}'),
    ],
    sections=[
        dict(
            title='Photos of train',
            num_images=8,
            rank_by='Pseudo label',
            columns=[
                dict(title='Pseudo label', masks='{pseudo_labels}'),
                dict(title='Prediction', masks='{predict_train}/masks'),
            ]),
        dict(
            title='Photos of val',
            loader='test_dataloader',
            num_images=6,
            columns=[
                dict(title='Single stage', masks='{test_localizer}/masks'),
                dict(title='Segmentation', masks='{test}/masks'),
            ]),
    ],
    curves=[
        dict(title='Single-stage training', train='{train_localizer}'),
        dict(title='Training on pseudo labels', train='{train_segmentor}'),
        dict(title='Training on all masks', train='{train_full}'),
    ])

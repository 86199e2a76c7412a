# A CAM classifier, its seeds, and pseudo labels by dense CRF at the threshold
# that suits the seeds best.
# The recipe gives: localizer (config), score_list (ids of photos of train that
# have masks to measure by), val_list.
localization_steps = [
    dict(
        name='train_localizer',
        type='train',
        config='{localizer}',
        show=['seed/mIoU', 'seed/tag_mAP']),
    dict(
        name='seeds',
        type='seeds',
        config='{localizer}',
        checkpoint='{train_localizer}/last_checkpoint'),
    dict(
        name='score_seeds',
        type='score_seeds',
        config='{localizer}',
        seeds='{seeds}',
        show=[
            'seed/mIoU', 'seed/precision', 'seed/recall', 'seed/F1',
            'seed/threshold'
        ]),
    dict(
        name='pseudo_labels',
        type='refine',
        config='{localizer}',
        seeds='{seeds}',
        refiner='irn_label',
        threshold='{score_seeds:seed/threshold}'),
    dict(
        name='score_pseudo_labels',
        type='score_masks',
        config='{localizer}',
        masks='{pseudo_labels}',
        show=['mask/mIoU', 'mask/precision', 'mask/recall', 'mask/F1']),
]
report_step = dict(
    name='report',
    type='report',
    config='{localizer}',
    cfg_options={'test_dataloader.dataset.ann_file': '{val_list}'},
    headline=[
        dict(title='Seed mIoU', value='{score_seeds:seed/mIoU}'),
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
                dict(
                    title='Seed',
                    seeds='{seeds}',
                    threshold='{score_seeds:seed/threshold}'),
                dict(title='Pseudo label', masks='{pseudo_labels}'),
                dict(title='Prediction', masks='{predict_train}/masks'),
            ]),
        dict(
            title='Photos of val',
            loader='test_dataloader',
            num_images=6,
            columns=[dict(title='Prediction', masks='{test}/masks')]),
    ],
    thresholds=dict(CAM='{score_seeds}/details.json'),
    curves=[
        dict(title='Training of the classifier', train='{train_localizer}'),
        dict(title='Training on pseudo labels', train='{train_segmentor}'),
        dict(title='Training on all masks', train='{train_full}'),
    ])

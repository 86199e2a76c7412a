# From seeds to pseudo labels by IRN: confident labels train a boundary network,
# inside whose boundaries the seeds walk; the threshold suits them best.
# The recipe gives: localizer (config), irn (config), conf_fg and conf_bg (what
# counts as confident).
irn_steps = [
    dict(
        name='affinity_labels',
        type='refine',
        config='{localizer}',
        seeds='{seeds}',
        refiner='irn_two_threshold',
        conf_fg='{conf_fg}',
        conf_bg='{conf_bg}'),
    dict(
        name='train_irn',
        type='train',
        config='{irn}',
        cfg_options={
            'train_dataloader.dataset.data_prefix.seg_map_path':
            '{affinity_labels}'
        }),
    dict(
        name='walk',
        type='walk',
        config='{irn}',
        checkpoint='{train_irn}/last_checkpoint',
        seeds='{seeds}',
        keep_seeds=True),
    dict(
        name='score_walk',
        type='score_seeds',
        config='{localizer}',
        seeds='{walk}/seeds',
        show=[
            'seed/mIoU', 'seed/precision', 'seed/recall', 'seed/F1',
            'seed/threshold'
        ]),
    dict(
        name='pseudo_labels',
        type='refine',
        config='{localizer}',
        seeds='{walk}/seeds',
        refiner='none',
        threshold='{score_walk:seed/threshold}'),
    dict(
        name='score_pseudo_labels',
        type='score_masks',
        config='{localizer}',
        masks='{pseudo_labels}',
        show=['mask/mIoU', 'mask/precision', 'mask/recall', 'mask/F1']),
]
irn_report_step = dict(
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
    thresholds={
        'Seed': '{score_seeds}/details.json',
        'After the walk': '{score_walk}/details.json'
    },
    curves=[
        dict(title='Training of the classifier', train='{train_localizer}'),
        dict(title='Training of IRN', train='{train_irn}'),
        dict(title='Training on pseudo labels', train='{train_segmentor}'),
        dict(title='Training on all masks', train='{train_full}'),
    ])

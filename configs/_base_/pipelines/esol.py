# ESOL's training, the seeds of its three stages, and pseudo labels by dense CRF
# at the threshold that suits the seeds best.
# The recipe gives: localizer (config), score_list (ids of photos of train that
# have masks to measure by), val_list.
localization_steps = [
    dict(
        name='train_localizer',
        type='train',
        config='{localizer}',
        show=['seed/mIoU', 'seed/tag_mAP'])
]
stages = ('classify', 'expand', 'shrink')
for stage in stages:
    # Only the last stage's seeds go on; of the others some are measured.
    options = {'seed_dataloader.dataset.ann_file': '{score_list}'}
    localization_steps += [
        dict(
            name=f'seeds_{stage}',
            type='seeds',
            config='{localizer}',
            checkpoint=f'{{train_localizer}}/stage_{stage}.pth',
            cfg_options={} if stage == 'shrink' else options),
        dict(
            name=f'score_{stage}',
            type='score_seeds',
            config='{localizer}',
            seeds=f'{{seeds_{stage}}}',
            show=[
                'seed/mIoU', 'seed/precision', 'seed/recall', 'seed/F1',
                'seed/threshold'
            ]),
    ]
del stage, options
localization_steps += [
    dict(
        name='pseudo_labels',
        type='refine',
        config='{localizer}',
        seeds='{seeds_shrink}',
        refiner='irn_label',
        threshold='{score_shrink:seed/threshold}'),
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
        dict(
            title='Seed mIoU after classify',
            value='{score_classify:seed/mIoU}'),
        dict(title='Seed mIoU after shrink', value='{score_shrink:seed/mIoU}'),
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
                *[
                    dict(
                        title=f'Seed, {stage}',
                        seeds=f'{{seeds_{stage}}}',
                        threshold=f'{{score_{stage}:seed/threshold}}')
                    for stage in stages
                ],
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
        stage: f'{{score_{stage}}}/details.json'
        for stage in stages
    },
    curves=[
        dict(title='Training of ESOL', train='{train_localizer}'),
        dict(title='Training on pseudo labels', train='{train_segmentor}'),
        dict(title='Training on all masks', train='{train_full}'),
    ])

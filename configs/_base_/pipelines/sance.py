# A CAM classifier, labels of its seeds, SANCE, and pseudo labels: SANCE's
# propagated scores of several scales and flips at the threshold that suits them
# best.
# The recipe gives: localizer and sance (configs), score_list (ids of photos of
# train that have masks to measure by), val_list, conf_fg and conf_bg.
_base_ = './irn.py'
sance_steps = [
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
        show=['seed/mIoU', 'seed/threshold']),
    dict(_base_.irn_steps[0], name='seed_labels'),
    dict(
        name='train_sance',
        type='train',
        config='{sance}',
        cfg_options={
            'train_dataloader.dataset.data_prefix.seg_map_path':
            '{seed_labels}'
        },
        show=['seed/mIoU', 'seed/threshold']),
    dict(
        name='sance_seeds',
        type='seeds',
        config='{sance}',
        checkpoint='{train_sance}/last_checkpoint'),
    dict(
        name='score_sance_seeds',
        type='score_seeds',
        config='{sance}',
        seeds='{sance_seeds}',
        show=['seed/mIoU', 'seed/threshold']),
    dict(
        name='pseudo_labels',
        type='refine',
        config='{sance}',
        seeds='{sance_seeds}',
        refiner='none',
        threshold='{score_sance_seeds:seed/threshold}'),
    dict(
        name='score_pseudo_labels',
        type='score_masks',
        config='{sance}',
        masks='{pseudo_labels}',
        show=['mask/mIoU', 'mask/precision', 'mask/recall', 'mask/F1']),
]
report_step = dict(
    name='report',
    type='report',
    config='{localizer}',
    cfg_options={'test_dataloader.dataset.ann_file': '{val_list}'},
    headline=[
        dict(title='Seed mIoU of the CAM', value='{score_seeds:seed/mIoU}'),
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
                dict(title='Seed label', masks='{seed_labels}'),
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
        'CAM': '{score_seeds}/details.json',
        'SANCE': '{score_sance_seeds}/details.json'
    },
    curves=[
        dict(title='Training of the classifier', train='{train_localizer}'),
        dict(title='Training of SANCE', train='{train_sance}'),
        dict(title='Training on pseudo labels', train='{train_segmentor}'),
        dict(title='Training on all masks', train='{train_full}'),
    ])

# A CAM classifier, labels of its seeds, SANCE, pseudo labels, which are SANCE's
# propagated scores of several scales and flips at the threshold that suits them
# best, and a segmentation model.
# The recipe gives: localizer and sance (configs), conf_fg and conf_bg, and a data
# set, such as voc.py.
_base_ = ['./cam.py', './irn.py']
sance_steps = [
    *_base_.localization_steps[:2],
    dict(_base_.localization_steps[2], show=['seed/mIoU', 'seed/threshold']),
    dict(_base_.irn_steps[0], name='seed_labels'),
    dict(
        name='train_sance', type='train', config='{sance}',
        cfg_options={
            'train_dataloader.dataset.data_prefix.seg_map_path': '{seed_labels}'
        },
        show=['seed/mIoU', 'seed/threshold']),
    dict(
        name='sance_seeds', type='seeds', config='{sance}',
        checkpoint='{train_sance}/last_checkpoint'),
    dict(
        name='score_sance_seeds', type='score_seeds', config='{sance}',
        seeds='{sance_seeds}',
        show=['seed/mIoU', 'seed/threshold']),
    dict(
        name='pseudo_labels', type='refine', config='{sance}',
        seeds='{sance_seeds}',
        refiner='none',
        bg_thr='{score_sance_seeds:seed/threshold}'),
    dict(_base_.localization_steps[-1], config='{sance}'),
]
sance_report_step = dict(
    _base_.report_step,
    headline=[
        dict(title='Seed mIoU of the CAM', value='{score_seeds:seed/mIoU}'),
        *_base_.headline
    ],
    sections=[
        dict(
            _base_.train_section,
            columns=[
                _base_.seed_column,
                dict(title='Seed label', masks='{seed_labels}'), *_base_.columns
            ]), _base_.val_section
    ],
    thresholds=dict(
        CAM='{score_seeds}/details.json', SANCE='{score_sance_seeds}/details.json'),
    curves=[
        _base_.report_step['curves'][0],
        dict(title='Training of SANCE', train='{train_sance}'), *_base_.curves
    ])
steps = [*sance_steps, *_base_.segmentation_steps, sance_report_step]

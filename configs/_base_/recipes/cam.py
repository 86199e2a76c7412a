# A CAM classifier, its seeds, pseudo labels by dense CRF at the threshold that
# suits the seeds best, and a segmentation model.
# The recipe gives: localizer (config), and a data set, such as voc.py.
_base_ = './segmentation.py'
localization_steps = [
    dict(
        name='train_localizer', type='train', config='{localizer}',
        show=['seed/mIoU', 'seed/tag_mAP']),
    dict(
        name='seeds', type='seeds', config='{localizer}',
        checkpoint='{train_localizer}/last_checkpoint'),
    dict(
        name='score_seeds', type='score_seeds', config='{localizer}',
        seeds='{seeds}',
        show=['seed/mIoU', 'seed/precision', 'seed/recall', 'seed/F1',
              'seed/threshold']),
    dict(
        name='pseudo_labels', type='refine', config='{localizer}',
        seeds='{seeds}',
        refiner='irn_label',
        bg_thr='{score_seeds:seed/threshold}'),
    dict(
        name='score_pseudo_labels', type='score_masks', config='{localizer}',
        masks='{pseudo_labels}',
        show=['mask/mIoU', 'mask/precision', 'mask/recall', 'mask/F1']),
]
seed_column = dict(
    title='Seed', seeds='{seeds}', bg_thr='{score_seeds:seed/threshold}')
report_step = dict(
    name='report', type='report', config='{localizer}',
    cfg_options={'test_dataloader.dataset.ann_file': '{val_list}'},
    headline=[
        dict(title='Seed mIoU', value='{score_seeds:seed/mIoU}'), *_base_.headline
    ],
    sections=[
        dict(_base_.train_section, columns=[seed_column, *_base_.columns]),
        _base_.val_section
    ],
    thresholds=dict(CAM='{score_seeds}/details.json'),
    curves=[
        dict(title='Training of the classifier', train='{train_localizer}'),
        *_base_.curves
    ])
steps = [*localization_steps, *_base_.segmentation_steps, report_step]

# CLIP's weights and words, seeds, labels by dense CRF, those of which the CRF is sure,
# and a segmentation model. Nothing is trained before that.
# The recipe gives: localizer (config), and a data set, such as voc.py.
_base_ = ['../../../../../configs/_base_/recipes/segmentation.py', './clip.py']
weights = 'openai'
localization_steps = [
    _base_.clip_step,
    # At the size of the images, of those that are scored; the others need no files.
    dict(
        name='seeds', type='seeds', config='{localizer}',
        checkpoint='{clip}/clip.pth',
        cfg_options={'seed_dataloader.dataset.ann_file': '{score_list}'},
        args=['--full-size']),
    dict(
        name='score_seeds', type='score_seeds', config='{localizer}',
        seeds='{seeds}',
        show=['seed/mIoU', 'seed/precision', 'seed/recall', 'seed/F1',
              'seed/threshold']),
    # As published, without undecided pixels, to be scored.
    dict(
        name='crf_labels', type='refine', config='{localizer}',
        seeds='{seeds}',
        cfg_options={'seed_dataloader.dataset.ann_file': '{score_list}'},
        refiner='deeplab',
        alpha=1),
    dict(
        name='score_crf_labels', type='score_masks', config='{localizer}',
        masks='{crf_labels}',
        show=['mask/mIoU', 'mask/precision', 'mask/recall', 'mask/F1']),
    dict(
        name='pseudo_labels', type='seeds', config='{localizer}',
        checkpoint='{clip}/clip.pth',
        refiner='config',
        jobs=4),
    dict(
        name='score_pseudo_labels', type='score_masks', config='{localizer}',
        masks='{pseudo_labels}',
        pred_ignore='ignore',
        show=['mask/mIoU', 'mask/precision', 'mask/recall', 'mask/F1']),
]
seed_column = dict(
    title='Seed', seeds='{seeds}', bg_thr='{score_seeds:seed/threshold}')
crf_column = dict(title='After the CRF', masks='{crf_labels}')
report_step = dict(
    name='report', type='report', config='{localizer}',
    cfg_options={'test_dataloader.dataset.ann_file': '{val_list}'},
    headline=[
        dict(title='Seed mIoU', value='{score_seeds:seed/mIoU}'),
        dict(title='mIoU after the CRF', value='{score_crf_labels:mask/mIoU}'),
        *_base_.headline
    ],
    sections=[
        dict(_base_.train_section, columns=[seed_column, crf_column, *_base_.columns]),
        _base_.val_section
    ],
    thresholds=dict(Seed='{score_seeds}/details.json'),
    curves=_base_.curves)
steps = [*localization_steps, *_base_.segmentation_steps, report_step]

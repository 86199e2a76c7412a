# ESOL's training, the seeds of its three stages, pseudo labels by dense CRF at the
# threshold that suits the last stage's best, and a segmentation model.
# The recipe gives: localizer (config), and a data set, such as voc.py.
_base_ = './segmentation.py'
stages = ('classify', 'expand', 'shrink')
seed_steps = [
    step for stage in stages for step in (
        dict(
            name=f'seeds_{stage}', type='seeds', config='{localizer}',
            checkpoint=f'{{train_localizer}}/stage_{stage}.pth',
            # Only the last stage's seeds go on; of the others some are measured.
            cfg_options={} if stage == 'shrink' else
            {'seed_dataloader.dataset.ann_file': '{score_list}'}),
        dict(
            name=f'score_{stage}', type='score_seeds', config='{localizer}',
            seeds=f'{{seeds_{stage}}}',
            show=['seed/mIoU', 'seed/precision', 'seed/recall', 'seed/F1',
                  'seed/threshold']))
]
localization_steps = [
    dict(
        name='train_localizer', type='train', config='{localizer}',
        show=['seed/mIoU', 'seed/tag_mAP']),
    *seed_steps,
    dict(
        name='pseudo_labels', type='refine', config='{localizer}',
        seeds='{seeds_shrink}',
        refiner='irn_label',
        bg_thr='{score_shrink:seed/threshold}'),
    dict(
        name='score_pseudo_labels', type='score_masks', config='{localizer}',
        masks='{pseudo_labels}',
        show=['mask/mIoU', 'mask/precision', 'mask/recall', 'mask/F1']),
]
seed_columns = [
    dict(
        title=f'Seed, {stage}',
        seeds=f'{{seeds_{stage}}}',
        bg_thr=f'{{score_{stage}:seed/threshold}}') for stage in stages
]
report_step = dict(
    name='report', type='report', config='{localizer}',
    cfg_options={'test_dataloader.dataset.ann_file': '{val_list}'},
    headline=[
        dict(title='Seed mIoU after classify', value='{score_classify:seed/mIoU}'),
        dict(title='Seed mIoU after shrink', value='{score_shrink:seed/mIoU}'),
        *_base_.headline
    ],
    sections=[
        dict(_base_.train_section, columns=[*seed_columns, *_base_.columns]),
        _base_.val_section
    ],
    thresholds={stage: f'{{score_{stage}}}/details.json' for stage in stages},
    curves=[dict(title='Training of ESOL', train='{train_localizer}'), *_base_.curves])
steps = [*localization_steps, *_base_.segmentation_steps, report_step]

# The recommended recipe on a data set with masks to measure by.
# The recipe gives: what recommended_steps.py asks for, and a data set, such as voc.py.
_base_ = [
    './recommended_steps.py', '../../../../../configs/_base_/recipes/segmentation.py'
]
score_labels = dict(
    name='score_pseudo_labels', type='score_masks', config='{localizer}',
    masks='{pseudo_labels}',
    show=['mask/mIoU', 'mask/precision', 'mask/recall', 'mask/F1'])
steps = [
    *_base_.recommended_steps[:3],
    dict(
        name='score_seeds', type='score_seeds', config='{localizer}',
        seeds='{seeds}',
        show=['seed/mIoU', 'seed/precision', 'seed/recall', 'seed/F1']),
    *_base_.recommended_steps[3:6],
    dict(score_labels, name='score_first_labels', masks='{first_labels}'),
    *_base_.recommended_steps[6:],
    score_labels,
    *_base_.segmentation_steps,
    dict(
        name='report', type='report', config='{localizer}',
        cfg_options={'test_dataloader.dataset.ann_file': '{val_list}'},
        headline=[
            dict(title='Seed mIoU', value='{score_seeds:seed/mIoU}'),
            dict(title='First labels mIoU', value='{score_first_labels:mask/mIoU}'),
            *_base_.headline
        ],
        sections=[
            dict(
                _base_.train_section,
                columns=[
                    dict(title='Seed', seeds='{seeds}'),
                    dict(title='First label', masks='{first_labels}'), *_base_.columns
                ]), _base_.val_section
        ],
        curves=[*_base_.recommended_curves, *_base_.curves]),
]
del score_labels

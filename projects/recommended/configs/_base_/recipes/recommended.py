# The recommended recipe on a data set with masks to measure by.
# The recipe gives: what recommended_steps.py asks for, and a data set, such as voc.py.
_base_ = ['./recommended_steps.py', '../../../../../configs/_base_/recipes/cam.py']
score_labels = _base_.localization_steps[-1]
steps = [
    *_base_.recommended_steps[:3],
    dict(
        _base_.localization_steps[2],
        show=['seed/mIoU', 'seed/precision', 'seed/recall', 'seed/F1']),
    *_base_.recommended_steps[3:6],
    dict(score_labels, name='score_first_labels', masks='{first_labels}'),
    *_base_.recommended_steps[6:],
    score_labels,
    *_base_.segmentation_steps,
    dict(
        _base_.report_step,
        headline=[
            _base_.report_step['headline'][0],
            dict(title='First labels mIoU', value='{score_first_labels:mask/mIoU}'),
            *_base_.headline
        ],
        sections=[
            dict(
                _base_.train_section,
                columns=[*_base_.recommended_columns, *_base_.columns]),
            _base_.val_section
        ],
        thresholds={},
        curves=[*_base_.recommended_curves, *_base_.curves]),
]
del score_labels

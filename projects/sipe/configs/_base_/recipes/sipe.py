# SIPE, its seeds, IRN's pseudo labels of them, and a segmentation model.
# The recipe gives: localizer and irn (configs), and a data set, such as voc.py.
_base_ = ['../../../../../configs/_base_/recipes/cam.py', './sipe_labels.py']
sipe_report_step = dict(
    _base_.report_step,
    sections=[
        dict(
            _base_.train_section,
            columns=[dict(title='Seed', seeds='{seeds}'), *_base_.columns]),
        _base_.val_section
    ],
    thresholds={},
    curves=[_base_.report_step['curves'][0], _base_.irn_curve, *_base_.curves])
steps = [
    *_base_.localization_steps[:2],
    dict(
        _base_.localization_steps[2],
        show=['seed/mIoU', 'seed/precision', 'seed/recall', 'seed/F1']),
    _base_.label_step,
    # Undecided pixels count as background: the "+CRF" of the paper.
    dict(
        _base_.localization_steps[-1],
        name='score_affinity_labels',
        masks='{affinity_labels}'),
    *_base_.walk_steps,
    _base_.localization_steps[-1],
    *_base_.segmentation_steps,
    sipe_report_step,
]

# CAM's seeds, walked inside the boundaries of IRN, and a segmentation model.
# The recipe gives: localizer and irn (configs), conf_fg and conf_bg, and a data
# set, such as voc.py.
_base_ = ['./cam.py', './irn.py']
irn_report_step = dict(
    _base_.report_step,
    thresholds=_base_.irn_thresholds,
    curves=[_base_.report_step['curves'][0], _base_.irn_curve, *_base_.curves])
steps = [
    # Without the pseudo labels of CAM.
    *_base_.localization_steps[:-2],
    *_base_.irn_steps,
    *_base_.segmentation_steps,
    irn_report_step,
]

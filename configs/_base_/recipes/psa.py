# CAM's seeds, a walk guided by PSA's affinities, and a segmentation model.
# The recipe gives: localizer and affinity (configs), and a data set, such as
# voc.py.
_base_ = ['./cam.py', './affinity.py']
steps = [
    # Without the pseudo labels of CAM.
    *_base_.localization_steps[:-2],
    *_base_.affinity_steps,
    *_base_.segmentation_steps,
    _base_.report_step,
]

# ESOL's seeds, a walk guided by PSA's affinities, and a segmentation model.
# The recipe gives: localizer and affinity (configs), and a data set, such as
# voc.py.
_base_ = ['./esol.py', './affinity.py']
steps = [
    # Without ESOL's own pseudo labels.
    *_base_.localization_steps[:-2],
    # The seeds of the last stage walk.
    *(dict(step, seeds='{seeds_shrink}') if 'seeds' in step else step
      for step in _base_.affinity_steps),
    *_base_.segmentation_steps,
    _base_.report_step,
]

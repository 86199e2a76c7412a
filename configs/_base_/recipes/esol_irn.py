# ESOL's seeds, walked inside the boundaries of IRN, and a segmentation model.
# The recipe gives: localizer and irn (configs), conf_fg and conf_bg, and a data
# set, such as voc.py.
_base_ = ['./esol.py', './irn.py']
irn_report_step = dict(
    _base_.report_step,
    thresholds={
        **_base_.report_step['thresholds'], 'after IRN': '{score_walk}/details.json'
    },
    curves=[_base_.report_step['curves'][0], _base_.irn_curve, *_base_.curves])
steps = [
    # Without ESOL's own pseudo labels.
    *_base_.localization_steps[:-2],
    # The seeds of the last stage walk.
    *(dict(step, seeds='{seeds_shrink}') if step.get('seeds') == '{seeds}' else step
      for step in _base_.irn_steps),
    *_base_.segmentation_steps,
    irn_report_step,
]

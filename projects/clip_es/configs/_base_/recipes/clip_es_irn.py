# CLIP-ES's seeds, walked inside the boundaries of IRN, and a segmentation model.
# The recipe gives: localizer and irn (configs), and a data set, such as voc.py.
_base_ = ['./clip_es_seeds.py', '../../../../../configs/_base_/recipes/irn.py']
# Around the background of these seeds, 0.5; not published.
conf_fg = 0.6
conf_bg = 0.4
affinity_labels, train_irn, walk, score_walk, *label_steps = _base_.irn_steps
irn_report_step = dict(
    _base_.seed_report_step,
    thresholds=_base_.irn_thresholds,
    curves=[_base_.irn_curve, *_base_.curves])
steps = [
    *_base_.seed_steps,
    affinity_labels,
    train_irn,
    walk,
    # Walked seeds have no background of their authors: that which is best on train.
    dict(
        score_walk,
        cfg_options={
            'val_evaluator.thresholds': [step / 100 for step in range(61)],
            'val_evaluator.extend': True
        }),
    *label_steps,
    *_base_.segmentation_steps,
    irn_report_step,
]

# WeCLIP's masks of train as seeds, which have a background of their own, walked inside
# the boundaries of IRN, and a segmentation model.
# The recipe gives: localizer and irn (configs), and a data set, such as voc.py.
_base_ = ['./weclip.py', '../../../../../configs/_base_/recipes/irn.py']
clip_step, train_step, test_step, label_step, score_step = _base_.weclip_steps
irn_report_step = dict(
    _base_.report_step,
    headline=_base_.weclip_report_step['headline'] + _base_.headline[1:],
    curves=[
        dict(title='Training of WeCLIP', train='{train_localizer}'), _base_.irn_curve,
        *_base_.curves
    ])
steps = [
    clip_step,
    train_step,
    test_step,
    dict(
        name='seeds', type='seeds', config='{localizer}',
        checkpoint='{train_localizer}/last_checkpoint'),
    # As SIPE's, whose seeds have a background, too; not published.
    dict(
        name='affinity_labels', type='refine', config='{localizer}',
        seeds='{seeds}',
        refiner='config',
        cfg_options={
            'label_rule': dict(
                _delete_=True, type='IRNLabel', background_factor=0.5)
        }),
    _base_.irn_steps[1],
    dict(
        name='pseudo_labels', type='walk', config='{irn}',
        checkpoint='{train_irn}/last_checkpoint',
        seeds='{seeds}',
        cfg_options={
            'walk.bg_thr': None,
            'walk.own_background': True,
            'walk.refiner.has_background': True
        }),
    score_step,
    *_base_.segmentation_steps,
    irn_report_step,
]

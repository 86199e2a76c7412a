# From SIPE's seeds, which have a background of their own, to pseudo labels: labels by
# dense CRF, which leave doubtful pixels out, train IRN, inside whose boundaries the
# seeds walk, background and all.
# The recipe gives: localizer and irn (configs); seeds come from its step "seeds".
_base_ = '../../../../../configs/_base_/recipes/irn.py'
label_step = dict(
    name='affinity_labels', type='refine', config='{localizer}',
    seeds='{seeds}',
    refiner='config')
walk_steps = [
    _base_.irn_steps[1],
    dict(
        name='pseudo_labels', type='walk', config='{irn}',
        checkpoint='{train_irn}/last_checkpoint',
        seeds='{seeds}',
        cfg_options={
            'walk.bg_thr': None,
            'walk.own_background': True,
            'walk.refiner.has_background': True,
            'walk.refiner.power': 1.5
        }),
]

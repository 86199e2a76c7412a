# CLIP-ES's seeds of all images of train, for what refines them: for IRN, or for PSA.
# The recipe gives: localizer (config), a data set, and as of irn.py or affinity.py.
_base_ = './clip_es.py'
clip_step, seeds_step, score_step, *_ = _base_.localization_steps
seed_steps = [
    clip_step,
    dict(
        name='seeds', type='seeds', config='{localizer}',
        checkpoint='{clip}/clip.pth'),
    score_step,
]
seed_report_step = dict(
    _base_.report_step,
    headline=[
        dict(title='Seed mIoU', value='{score_seeds:seed/mIoU}'), *_base_.headline
    ],
    sections=[
        dict(
            _base_.train_section, columns=[_base_.seed_column, *_base_.columns]),
        _base_.val_section
    ])

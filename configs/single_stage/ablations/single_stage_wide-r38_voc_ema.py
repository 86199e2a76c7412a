# Not published: a moving average of the model makes the labels.
# python tools/train.py configs/single_stage/ablations/\
#     single_stage_wide-r38_voc_ema.py
_base_ = '../single_stage_wide-r38_voc.py'

custom_hooks = [
    *_base_.custom_hooks,
    dict(type='EMAPseudoLabelHook', momentum=0.001),
]

# Not published: a moving average of the model makes the labels.
_base_ = '../single_stage_wide-r38_voc.py'

custom_hooks = [*_base_.custom_hooks, dict(type='EMAPseudoLabelHook', momentum=0.001)]

# Table 6: Expansion w/o DT_e + Shrinkage.
_base_ = '../esol_r50_voc.py'

# Classify and shrink: the first sampler, never trained, keeps its zero offsets.
custom_hooks = [
    dict(type='StageSwitchHook', stages=_base_.custom_hooks[0].stages[::2])
]

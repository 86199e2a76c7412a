# ESOL's first stage alone, which refinements may start from; see README.md.
# python tools/train.py configs/esol/esol_classify_r50_voc.py
_base_ = './esol_r50_voc.py'

train_cfg = dict(max_iters=3305, val_interval=3305)
custom_hooks = [
    dict(type='StageSwitchHook', stages=_base_.custom_hooks[0].stages[:1])
]

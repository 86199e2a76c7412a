# The first stage of ESOL alone: a CAM network with two more convolutions.
# python tools/train.py configs/self_training/localizer_demo.py
_base_ = '../esol/esol_demo.py'

train_cfg = dict(max_iters=200, val_interval=200)
custom_hooks = [
    dict(type='StageSwitchHook', stages=_base_.custom_hooks[0].stages[:1])
]

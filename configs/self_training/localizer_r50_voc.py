# The first stage of ESOL alone: a CAM network with two more convolutions.
# python tools/train.py configs/self_training/localizer_r50_voc.py
_base_ = '../esol/esol_r50_voc.py'

train_cfg = dict(max_iters=3305, val_interval=3305)
custom_hooks = [
    dict(
        type='StageSwitchHook', stages=[_base_.custom_hooks[0]['stages'][0]])
]

# Your own images: the first stage of ESOL alone, a CAM network with two more
# convolutions.
# python tools/train.py configs/self_training/localizer_folder.py
_base_ = '../esol/esol_folder.py'

custom_hooks = [
    dict(type='StageSwitchHook', stages=_base_.custom_hooks[0].stages[:1])
]

# ESOL's first stage alone on six animals of PASCAL VOC 2012, for a CPU.
# python tools/train.py configs/esol/esol_classify_mobilenetv1_animals.py
_base_ = './esol_mobilenetv1_animals.py'

train_cfg = dict(max_iters=400, val_interval=400)
custom_hooks = [
    dict(type='StageSwitchHook', stages=_base_.custom_hooks[0].stages[:1])
]

# python tools/train.py configs/single_stage/single_stage_r50_voc.py
_base_ = [
    '../_base_/models/single_stage_r50.py',
    '../_base_/datasets/voc_single_stage_448.py',
    '../_base_/schedules/single_stage_voc.py', '../_base_/default_runtime.py'
]

optim_wrapper = dict(optimizer=dict(lr=0.0005), paramwise_cfg=dict(bias_mult=1.))
# 21 epochs.
train_cfg = dict(max_iters=13881)
custom_hooks = [
    dict(
        type='StageSwitchHook',
        stages=[
            dict(name='pretrain', iters=3305),
            dict(name='self_train', iters=10576),
        ])
]

# python tools/train.py configs/esol/esol_r50_coco.py
_base_ = [
    '../_base_/models/esol_r50.py', '../_base_/datasets/coco_weak.py',
    '../_base_/schedules/esol.py', '../_base_/default_runtime.py'
]

model = dict(decode_head=dict(num_classes=81))
# Five, ten and ten epochs of train2014 (82,783 images) at batch 16.
custom_hooks = [
    dict(
        type='StageSwitchHook',
        stages=[
            dict(_base_.custom_hooks[0]['stages'][0], iters=25865),
            dict(
                name='expand',
                iters=51730,
                optim_wrapper=dict(
                    optimizer=dict(lr=0.001), paramwise_cfg=dict(head_mult=1.))),
            dict(
                name='shrink',
                iters=51730,
                optim_wrapper=dict(
                    optimizer=dict(lr=0.02), paramwise_cfg=dict(head_mult=1.))),
        ])
]
train_cfg = dict(max_iters=129325, val_interval=129325)

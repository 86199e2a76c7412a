# Your own images on a CPU; docs/en/own_photos.md says how to lay them out.
# python tools/train.py configs/esol/esol_mobilenetv1_folder.py
_base_ = [
    '../_base_/models/esol_mobilenetv1.py', '../_base_/datasets/folder_weak_256.py',
    '../_base_/schedules/esol.py', '../_base_/default_runtime.py'
]

custom_hooks = [
    dict(
        type='StageSwitchHook',
        stages=[
            # AdamW, for the new convolutions learn alone here.
            dict(
                name='classify',
                epochs=8,
                min_iters=150,
                cap_iters=2000,
                optim_wrapper=dict(
                    optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.01),
                    paramwise_cfg=dict(head_mult=1.))),
            dict(
                name='expand',
                epochs=3,
                min_iters=50,
                cap_iters=2000,
                optim_wrapper=dict(
                    optimizer=dict(lr=0.1), paramwise_cfg=dict(head_mult=1.))),
            dict(
                name='shrink',
                epochs=3,
                min_iters=50,
                cap_iters=2000,
                optim_wrapper=dict(
                    optimizer=dict(lr=0.01), paramwise_cfg=dict(head_mult=1.))),
        ]),
]
default_hooks = dict(logger=dict(interval=10))

# ESOL on frozen MobileNetV1 features at stride 16, small enough for a CPU.
# python tools/train.py configs/esol/esol_mobilenetv1_animals.py
_base_ = [
    '../_base_/models/esol_mobilenetv1.py', '../_base_/datasets/animals_weak.py',
    '../_base_/schedules/esol.py', '../_base_/default_runtime.py'
]

model = dict(decode_head=dict(num_classes=7))
train_cfg = dict(max_iters=700, val_interval=700)
custom_hooks = [
    dict(
        type='StageSwitchHook',
        stages=[
            # Eight epochs at batch 16; AdamW, for the new convolutions learn
            # alone here.
            dict(
                name='classify',
                iters=400,
                optim_wrapper=dict(
                    optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.01),
                    paramwise_cfg=dict(head_mult=1.))),
            dict(
                name='expand',
                iters=150,
                optim_wrapper=dict(
                    optimizer=dict(lr=0.1), paramwise_cfg=dict(head_mult=1.))),
            dict(
                name='shrink',
                iters=150,
                optim_wrapper=dict(
                    optimizer=dict(lr=0.01), paramwise_cfg=dict(head_mult=1.))),
        ]),
    dict(type='OffsetMonitorHook'),
]

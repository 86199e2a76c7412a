# ESOL on frozen MobileNetV1 features at stride 16, small enough for a CPU.
# python tools/train.py configs/esol/esol_mobilenetv1_animals.py
_base_ = [
    '../_base_/models/esol_r50.py', '../_base_/datasets/animals_weak.py',
    '../_base_/schedules/esol.py', '../_base_/default_runtime.py'
]

model = dict(
    data_preprocessor=dict(
        mean=[127.5, 127.5, 127.5], std=[127.5, 127.5, 127.5],
        size=(256, 256)),
    backbone=dict(
        _delete_=True,
        type='mmpretrain.TIMMBackbone',
        model_name='mobilenetv1_100',
        features_only=True,
        output_stride=16,
        pretrained=True),
    norm_eval=True,
    frozen=('timm_model', ),
    decode_head=dict(in_channels=1024, mid_channels=128, num_classes=7))
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

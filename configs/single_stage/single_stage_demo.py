# A small network from scratch on generated scenes: minutes on two CPU cores.
# python tools/dataset_converters/make_demo_data.py --out data/demo
# python tools/train.py configs/single_stage/single_stage_demo.py
_base_ = [
    '../_base_/models/single_stage_wide-r38.py',
    '../_base_/datasets/demo_single_stage.py',
    '../_base_/schedules/single_stage_voc.py', '../_base_/default_runtime.py'
]

model = dict(
    backbone=dict(
        _delete_=True,
        type='ResNet',
        depth=18,
        stem_channels=32,
        base_channels=32,
        num_stages=3,
        out_indices=(0, 2),
        strides=(1, 2, 1),
        dilations=(1, 1, 1)),
    decode_head=dict(
        in_channels=(32, 128),
        channels=32,
        skip_channels=16,
        dilations=(1, 2, 4, 6),
        num_classes=7))
tta_model = dict(pad_size=None)
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='AdamW', lr=1e-3, weight_decay=0.01),
    paramwise_cfg=dict(head_mult=1., bias_mult=1.))
train_cfg = dict(max_iters=300, val_interval=300)
custom_hooks = [
    dict(
        type='StageSwitchHook',
        stages=[
            dict(name='pretrain', iters=150),
            dict(name='self_train', iters=150),
        ])
]

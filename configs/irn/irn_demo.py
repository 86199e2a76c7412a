# Boundaries of generated scenes. No pretrained features exist for them: here the
# backbone learns, too.
# python tools/train.py configs/irn/irn_demo.py
_base_ = [
    '../_base_/models/irn_r50.py', '../_base_/datasets/demo_boundary.py',
    '../_base_/schedules/irn_3e.py', '../_base_/default_runtime.py'
]

in_channels = [32, 32, 64, 128]
model = dict(
    data_preprocessor=dict(size=(96, 96)),
    backbone=dict(
        depth=18,
        stem_channels=32,
        base_channels=32,
        num_stages=3,
        out_indices=(0, 1, 2),
        strides=(1, 2, 1),
        dilations=(1, 1, 1),
        norm_eval=False,
        frozen_stages=-1,
        init_cfg=None),
    decode_head=dict(
        in_channels=in_channels,
        in_index=(0, 1, 2, 3),
        detach_inputs=False,
        num_classes=7,
        loss_decode=dict(radius=5)),
    auxiliary_head=dict(
        in_channels=in_channels,
        in_index=(0, 1, 2, 3),
        reduced_channels=(16, 16, 32, 32),
        groups=(2, 2, 2, 2),
        fused_channels=32,
        detach_inputs=False,
        num_classes=7,
        loss_decode=dict(radius=5)))
walk_tta_model = dict(pad_size=96)
train_cfg = dict(max_iters=200)
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='AdamW', lr=1e-3, weight_decay=0.01),
    paramwise_cfg=dict(custom=[]))
param_scheduler = dict(end=201)
custom_hooks = [
    dict(type='MeanShiftHook', crop_size=96, dataloader=_base_.mean_shift_dataloader)
]

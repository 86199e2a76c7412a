# A small network from scratch on generated scenes: minutes on two CPU cores.
# python tools/dataset_converters/make_demo_data.py --out data/demo
# python tools/train.py configs/cam/cam_demo.py
_base_ = [
    '../_base_/models/cam_r50.py', '../_base_/datasets/demo_weak.py',
    '../_base_/schedules/cam_5e.py', '../_base_/default_runtime.py'
]

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
    decode_head=dict(in_channels=128, num_classes=7))
# IRN's multiple of 16 is for stride 16.
tta_model = dict(size_divisor=1)
train_cfg = dict(max_iters=200, val_interval=200)
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='AdamW', lr=1e-3, weight_decay=0.01),
    paramwise_cfg=dict(head_mult=1.))
param_scheduler = dict(end=201)

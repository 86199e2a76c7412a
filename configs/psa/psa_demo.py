# A small network from scratch on generated scenes, affinities at stride 4.
# python tools/train.py configs/psa/psa_demo.py
_base_ = [
    '../_base_/models/psa_wide-r38.py', '../_base_/datasets/demo_affinity.py',
    '../_base_/schedules/psa_8e.py', '../_base_/default_runtime.py'
]

model = dict(
    data_preprocessor=dict(size=(96, 96)),
    backbone=dict(
        _delete_=True,
        type='ResNet',
        depth=18,
        stem_channels=32,
        base_channels=32,
        num_stages=3,
        out_indices=(0, 1, 2),
        strides=(1, 2, 1),
        dilations=(1, 1, 1)),
    decode_head=dict(in_channels=[32, 64, 128], in_index=(0, 1, 2), num_classes=7))
train_cfg = dict(max_iters=150)
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='AdamW', lr=1e-3, weight_decay=0.01),
    paramwise_cfg=dict(head_mult=1.))
param_scheduler = dict(end=151)
walk = dict(refiner=dict(stride=4, steps=64), alpha=4)

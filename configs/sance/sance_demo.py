# A small network from scratch on generated scenes: minutes on two CPU cores.
# python tools/train.py configs/sance/sance_demo.py
_base_ = [
    '../_base_/models/sance_r101.py', '../_base_/datasets/demo_sance.py',
    '../_base_/schedules/sance_16e.py', '../_base_/default_runtime.py'
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
        dilations=(1, 1, 2),
        norm_eval=False,
        init_cfg=None),
    decode_head=dict(
        in_channels=(32, 32, 64, 128),
        in_index=(0, 1, 2, 3),
        num_classes=7,
        loss_decode=dict(radius=5)),
    auxiliary_head=dict(
        in_channels=128, in_index=3, dilations=(1, 2, 3, 4), num_classes=7),
    # Online labels begin when the segmentation knows something.
    start_iter=80,
    crf_jobs=0)
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='AdamW', lr=1e-3, weight_decay=0.01),
    paramwise_cfg=dict(head_mult=1.))
train_cfg = dict(max_iters=320, val_interval=160)
param_scheduler = dict(end=321)

# A small network from scratch on generated scenes: about a minute on two CPU
# cores.
# python tools/dataset_converters/make_demo_data.py --out data/demo
# python tools/train.py configs/deeplab/deeplabv2_demo.py
_base_ = [
    '../_base_/models/deeplabv2_r101.py', '../_base_/datasets/demo_pseudo.py',
    '../_base_/schedules/deeplabv2_20k.py', '../_base_/default_runtime.py'
]

model = dict(
    _delete_=True,
    type='EncoderDecoder',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
        size=(96, 96)),
    backbone=dict(
        type='ResNet',
        depth=18,
        base_channels=32,
        num_stages=3,
        out_indices=(0, 1, 2),
        strides=(1, 2, 1),
        dilations=(1, 1, 2)),
    decode_head=dict(
        type='SummedASPPHead',
        in_channels=128,
        in_index=2,
        dilations=(1, 2, 3, 4),
        num_classes=7,
        align_corners=False,
        loss_decode=dict(type='PixelCrossEntropyLoss')),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
optim_wrapper = dict(
    _delete_=True,
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=2e-3, weight_decay=0.01))
train_cfg = dict(max_iters=160, val_interval=160)
param_scheduler = dict(end=161)

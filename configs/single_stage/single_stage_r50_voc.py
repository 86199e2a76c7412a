# python tools/train.py configs/single_stage/single_stage_r50_voc.py
_base_ = [
    '../_base_/models/single_stage_wide-r38.py',
    '../_base_/datasets/voc_single_stage_448.py',
    '../_base_/schedules/single_stage_voc.py',
    '../_base_/default_runtime.py',
]

# Stride 16; the dilations are those of stride 8 all the same.
model = dict(
    backbone=dict(
        _delete_=True,
        type='ResNet',
        depth=50,
        num_stages=4,
        out_indices=(0, 3),
        strides=(1, 2, 2, 1),
        dilations=(1, 1, 1, 1),
        norm_cfg=dict(type='BN', requires_grad=False),
        norm_eval=True,
        frozen_stages=0,
        init_cfg=dict(
            type='Pretrained', checkpoint='torchvision://resnet50')),
    decode_head=dict(in_channels=(256, 2048)))
tta_model = dict(pad_size=768, score_thr=0.3)
optim_wrapper = dict(
    optimizer=dict(lr=0.0005), paramwise_cfg=dict(bias_mult=1.))
# 21 epochs.
train_cfg = dict(max_iters=13881)
custom_hooks = [
    dict(
        type='StageSwitchHook',
        stages=[
            dict(name='pretrain', iters=3305),
            dict(name='self_train', iters=10576),
        ])
]

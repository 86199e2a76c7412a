# The CAM baseline of the same training as single_stage_r50_voc.py.
# python tools/train.py configs/single_stage/cam_r50_voc.py
_base_ = [
    '../_base_/models/cam_wide-r38.py', '../_base_/datasets/voc_single_stage_448.py',
    '../_base_/schedules/single_stage_voc.py', '../_base_/default_runtime.py'
]

model = dict(
    backbone=dict(
        _delete_=True,
        type='ResNet',
        depth=50,
        num_stages=4,
        out_indices=(3, ),
        strides=(1, 2, 2, 1),
        dilations=(1, 1, 1, 1),
        norm_cfg=dict(type='BN', requires_grad=False),
        norm_eval=True,
        frozen_stages=0,
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50')),
    decode_head=dict(in_channels=2048, in_index=0, bg_thr=0.1))
optim_wrapper = dict(optimizer=dict(lr=0.0005), paramwise_cfg=dict(bias_mult=1.))
train_cfg = dict(max_iters=4627, val_interval=4627)
custom_hooks = None

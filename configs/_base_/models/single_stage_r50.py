# ResNet-50 and a decoder at stride 4, with the published cut and padding.
_base_ = './single_stage_wide-r38.py'

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
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50')),
    decode_head=dict(in_channels=(256, 2048)))
tta_model = dict(pad_size=768, score_thr=0.3)

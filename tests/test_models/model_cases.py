# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Our models, as small as they may be: what all tests of models build."""

from mmengine.config import ConfigDict
from model_tester import BACKBONE, LAYERS, NUM_CLASSES, PREPROCESSOR

TEST = ConfigDict(mode='whole')


def weak(head: str, segmentor: str = 'WeakSegmentor', backbone: dict = LAYERS,
         options: dict | None = None, **kwargs) -> dict:
    """The config of a model of image labels."""
    defaults = dict(
        type=head, num_classes=NUM_CLASSES, **HEADS.get(head, {}))
    return dict(
        type=segmentor, data_preprocessor=PREPROCESSOR, backbone=backbone,
        decode_head={**defaults, **kwargs}, test_cfg=TEST, **(options or {}))


HEADS = dict(
    CAMHead=dict(in_channels=32),
    ESOLHead=dict(in_channels=32),
    SEAMHead=dict(in_channels=[8, 16, 32], reduced_channels=(4, 8)),
    NGWPHead=dict(
        in_channels=(4, 32), in_index=(0, 3), channels=8, skip_channels=4,
        dilations=(1, 2),
        refiner=dict(type='PAMR', num_iter=2, dilations=(1, 2))))
TIMM = dict(
    type='mmpretrain.TIMMBackbone', model_name='resnet18', features_only=True,
    layers=(1, 1, 1, 1), channels=(4, 8, 8, 16))
LOSS_FSAE = dict(type='FSAELoss', threshold=0.4, ring_threshold=0.35)
ESOL_STAGES = ('classify', 'expand', 'shrink')
SELF_TRAIN = ('self_train', )

WEAK = dict(
    cam=weak('CAMHead'),
    cam_timm=weak(
        'CAMHead', in_channels=16, dropout_ratio=0.5,
        backbone=dict(TIMM, out_indices=(1, 2, 3, 4)),
        options=dict(
            norm_eval=True,
            frozen=('timm_model.conv1', 'timm_model.bn1', 'timm_model.layer1'))),
    cam_wide_resnet=weak(
        'CAMHead', in_channels=128,
        backbone=dict(type='WideResNet38', base_channels=2)),
    esol=weak('ESOLHead'),
    esol_kernel_one=weak(
        'ESOLHead', backbone=BACKBONE, kernel_size=1, mid_channels=8, act=False),
    esol_without_offsets=weak(
        'ESOLHead', expand_offsets=False, shrink_offsets=False, loss_area=None),
    esol_freer=weak(
        'ESOLHead', offset_std=1e-3, clip_stages=('shrink', ),
        clip_detach_max=False, expand_trains_kernel=True,
        expand_keeps_conv_2=False, shrink_trains='offsets+conv_2+classifier',
        loss_area=dict(
            type='AreaLoss', activation='max_norm', present_only=True)),
    seam=weak('SEAMHead', dropout_ratio=0., options=dict(second_view=0.5)),
    ngwp=weak('NGWPHead', 'SelfTrainSegmentor'),
    ngwp_deterministic=weak(
        'NGWPHead', 'SelfTrainSegmentor', cues=None,
        gate=dict(rate=0.5, deterministic=True)),
    ngwp_paper=weak(
        'NGWPHead', 'SelfTrainSegmentor', gate=dict(rate=0.3, shift=False),
        cues=dict(shallow_norm='instance', residual_scale=False), pool_eps=1e-5,
        label_thresholds=dict(fg_ratio=0.6, bg_ratio=0.7, floor=0.),
        loss_mask=dict(type='SelfLabelLoss', balance='inverse'), bg_power=1.),
    ngwp_plain=weak(
        'NGWPHead', 'SelfTrainSegmentor', gate=None, refiner=None,
        focal_lambda=None),
    ngwp_timm=weak(
        'NGWPHead', 'SelfTrainSegmentor', backbone=dict(TIMM, out_indices=(1, 4)),
        in_channels=(4, 16), in_index=(0, 1), options=dict(norm_eval=True)),
    fsae_cam=weak('CAMHead', 'FSAE', options=dict(loss_fsae=LOSS_FSAE)),
    fsae_esol=weak(
        'ESOLHead', 'FSAE', mid_channels=8,
        options=dict(loss_fsae=LOSS_FSAE, stages=('classify', ))),
)
STAGES = dict(
    {name: ESOL_STAGES for name in WEAK if 'esol' in name},
    ngwp=('pretrain', 'self_train'), ngwp_deterministic=SELF_TRAIN,
    ngwp_paper=SELF_TRAIN, ngwp_plain=SELF_TRAIN, ngwp_timm=SELF_TRAIN)


def pixels(head: dict, segmentor: str = 'WeakSegmentor',
           backbone: dict = LAYERS, **kwargs) -> dict:
    """The config of a model of label maps."""
    return dict(
        dict(
            type=segmentor, data_preprocessor=PREPROCESSOR, backbone=backbone,
            decode_head=head, train_cfg=dict(), test_cfg=TEST), **kwargs)


def deeplab(kind: str, segmentor: str = 'EncoderDecoder',
            loss: str = 'PixelCrossEntropyLoss', **kwargs) -> dict:
    head = dict(
        type=kind, in_channels=32, in_index=3, num_classes=NUM_CLASSES,
        dropout_ratio=0.1, loss_decode=dict(type=loss), **kwargs)
    if kind == 'SummedASPPHead':
        del head['dropout_ratio']
    return pixels(head, segmentor)


STEM_CHANNELS = [16, 4, 8, 16, 32]
STEM_RESNET = dict(
    BACKBONE, type='StemResNet10', stem_channels=16, frozen_stages=4,
    strides=(1, 2, 2, 1))
CONTOUR = dict(
    type='ContourHead', in_channels=STEM_CHANNELS, reduced_channels=4, groups=2,
    loss_decode=dict(type='PathAffinityLoss', radius=3))
DISPLACEMENT = dict(
    type='DisplacementHead', in_channels=STEM_CHANNELS, reduced_channels=[4] * 5,
    groups=[2] * 5, fused_channels=4,
    loss_decode=dict(type='DisplacementLoss', radius=3))
AFFINITY = dict(
    type='AffinityHead', in_channels=[8, 16, 32], num_classes=NUM_CLASSES,
    reduced_channels=(4, 4, 8),
    loss_decode=dict(type='FeatureAffinityLoss', radius=2))
NORM = dict(type='BN', requires_grad=False)

PIXEL = dict(
    irn=pixels(CONTOUR, backbone=STEM_RESNET, auxiliary_head=DISPLACEMENT),
    contour=pixels(
        dict(CONTOUR, detach_inputs=False), 'ContourSegmentor',
        dict(STEM_RESNET, frozen_stages=-1)),
    sance=pixels(
        dict(CONTOUR, in_channels=(4, 8, 16, 32), in_index=(0, 1, 2, 3),
             size_index=0, num_classes=NUM_CLASSES, detach_inputs=False), 'SANCE',
        auxiliary_head=dict(
            type='SummedASPPHead', in_channels=32, in_index=3, dilations=(1, 2),
            num_classes=NUM_CLASSES, align_corners=False,
            loss_decode=dict(type='PixelCrossEntropyLoss')),
        refine_by='saliency', online_walk=dict(radius=3, beta=10, steps=8)),
    psa=pixels(AFFINITY),
    psa_groups=pixels(dict(AFFINITY, group_width=2), backbone=BACKBONE),
    deeplab_v1=deeplab('LargeFOVHead', channels=8, norm_cfg=NORM, dilation=2),
    deeplab_v1_plain=deeplab(
        'LargeFOVHead', channels=8, dropout_between=True, dilation=2,
        loss='BalancedCrossEntropyLoss'),
    deeplab_v2=deeplab('SummedASPPHead', dilations=(1, 2)),
    deeplab_v2_concat=deeplab(
        'ConcatASPPHead', channels=8, norm_cfg=NORM, dilations=(1, 2)),
    deeplab_v3=deeplab(
        'ASPPHead', channels=8, norm_cfg=NORM, dilations=(1, 12, 24)),
    deeplab_v3plus=deeplab(
        'DepthwiseSeparableASPPHead', channels=8, norm_cfg=NORM,
        dilations=(1, 12, 24), c1_in_channels=4, c1_channels=4),
    multi_scale=deeplab('SummedASPPHead', 'MultiScaleSegmentor'),
)

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Parts that would go wrong later refuse to be built, and name the argument."""

import pytest
from mmseg.registry import MODELS
from model_cases import AFFINITY, PIXEL, WEAK, weak
from model_tester import build_model

NGWP = WEAK['ngwp']['decode_head']
WALK, AFFINITY_WALK = dict(type='RandomWalk'), dict(type='AffinityWalk')


def fsae(base='WeakSegmentor', **head):
    return dict(
        WEAK['fsae_cam'], base=base,
        decode_head=dict(WEAK['fsae_cam']['decode_head'], **head))


WRONG = [
    (dict(type='CAMHead', in_channels=4, num_classes=1), 'at least 2'),
    (dict(WEAK['cam_timm'], frozen=('timm_model.stem', )), 'timm_model.stem'),
    (weak('ESOLHead', stage='explode'), 'explode'),
    (weak('ESOLHead', clip_stages=('always', )), 'always'),
    (weak('ESOLHead', shrink_trains='everything'), 'everything'),
    (weak('ESOLHead', kernel_size=2), 'odd'),
    (weak('ESOLHead', conv_init='zeros'), 'zeros'),
    (weak('ESOLHead', conv_init='identity', mid_channels=3), '32 -> 3'),
    (weak('SEAMHead', reduced_channels=(4, )), 'one feature more'),
    (dict(NGWP, in_channels=(4, 8, 8)), 'each need'),
    (dict(NGWP, stage='classify'), 'classify'),
    (dict(NGWP, cues=dict(shallow_norm='layer')), 'layer'),
    (dict(NGWP, gate=dict(rate=1.)), 'must'),
    (dict(AFFINITY, in_channels=[8, 16]), 'one length'),
    (dict(PIXEL['multi_scale'], auxiliary_head=AFFINITY), 'auxiliary_head'),
    (dict(PIXEL['sance'], online=('edge', )), 'online'),
    (dict(PIXEL['sance'], refined=('edge', )), 'refined'),
    (dict(PIXEL['sance'], refine_by='luck'), 'luck'),
    (dict(PIXEL['sance'], crf_stride=3), 'stride'),
    (dict(PIXEL['sance'], auxiliary_head=None), 'auxiliary_head'),
    (fsae(type='ContourHead', in_channels=(4, 8), in_index=(0, 1), channels=4),
     'ContourHead has no class maps'),
    (fsae(type='FCNHead', channels=4), "FCNHead .* needs base='EncoderDecoder'"),
    (fsae('MultiScaleSegmentor'), "'MultiScaleSegmentor' has a loss of its"),
    (fsae('Nothing'), "base='Nothing'"),
    (dict(type='WideResNet38', out_indices=(4, )), 'out_indices'),
    (dict(type='WideResNet38', frozen_stages=8), 'frozen_stages'),
    (dict(type='VGG16FC7', out_indices=(-1, )), 'out_indices'),
    (dict(type='VGG16FC7', frozen_stages=6), 'frozen_stages'),
    (dict(type='FeatureAffinityLoss', radius=1), 'radius'),
    (dict(type='AreaLoss', activation='tanh'), 'tanh'),
    (dict(type='SelfLabelLoss', balance='no'), 'balance'),
    (dict(type='FSAELoss', reduction='mean'), 'reduction'),
    (dict(type='FSAELoss', background='learned'), 'background'),
    (dict(type='FSAELoss', label_filter='all'), 'label_filter'),
    (dict(type='FSAELoss', kernel_size=4), 'odd'),
    (dict(type='FSAELoss', temperature=0.), 'positive'),
    (dict(type='FSAELoss', background='one_minus_max'), 'temperature'),
    (dict(type='DenseCRF', preset='irn'), 'unknown CRF preset'),
    (dict(type='DenseCRF', scale_factor=0), 'scale_factor'),
    (dict(type='ThresholdLabel', bg_thr=.1, alpha=4), 'not both'),
    (dict(type='IRNLabel', conf_fg=.1, conf_bg=.2), 'conf_bg'),
    (dict(type='IRNLabel', empty_label=3), 'empty_label'),
    (dict(type='PSALabel', low_alpha=8, high_alpha=4), 'must not exceed'),
    (dict(type='SaliencyLabel', claimed=3), 'claimed'),
    (dict(type='WalkLabel', refiner=AFFINITY_WALK, bg_thr=0.2, alpha=4), 'not both'),
    (dict(type='WalkLabel', refiner=WALK, alpha=4), 'alpha needs a walk with'),
    (dict(type='WalkInstances', refiner=AFFINITY_WALK), 'need a walk without'),
]


@pytest.mark.parametrize('cfg, message', WRONG)
def test_wrong_arguments(cfg, message):
    with pytest.raises(ValueError, match=message):
        MODELS.build(cfg)


@pytest.mark.parametrize('name, message', [
    ('cam', 'CAMHead has no stages'), ('ngwp', "'nosuch'"), ('esol', 'nosuch')])
def test_unknown_stage(name, message):
    with pytest.raises(ValueError, match=message):
        build_model(WEAK[name], 'nosuch')

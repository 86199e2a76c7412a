# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Random weights in the official layouts."""

import os.path as osp

import pytest
import torch
from mmseg.registry import MODELS
from tool_runner import load_tool, run_tool

import mmwsss  # noqa: F401

ROOT = osp.dirname(osp.dirname(osp.dirname(osp.abspath(__file__))))
BN_LEAVES = ('weight', 'bias', 'running_mean', 'running_var',
             'num_batches_tracked')
BACKBONE = dict(
    type='ResNetV1c', depth=50, base_channels=2, contract_dilation=True,
    strides=(1, 2, 1, 1), dilations=(1, 1, 2, 4))
NORM = dict(type='BN')


@pytest.fixture(scope='module')
def tool():
    return load_tool('model_converters/deeplab_pytorch2mmwsss')


def build(cfg):
    return MODELS.build(cfg)


def caffe_model(**kwargs):
    return build(
        dict(
            type='MultiScaleSegmentor',
            backbone=dict(type='CaffeResNet', **kwargs),
            decode_head=dict(
                type='SummedASPPHead',
                in_channels=32 * kwargs['base_channels'],
                in_index=3,
                num_classes=3)))


def official_keys():
    """All 632 keys of a DeepLabV2_ResNet101_MSC, spelled out."""
    layers = ['base.layer1.conv1']
    for stage, blocks in zip((2, 3, 4, 5), (3, 4, 23, 3), strict=True):
        for block in range(1, blocks + 1):
            prefix = f'base.layer{stage}.block{block}'
            layers += [f'{prefix}.{part}'
                       for part in ('reduce', 'conv3x3', 'increase')]
            if block == 1:
                layers.append(f'{prefix}.shortcut')
    keys = []
    for layer in layers:
        keys.append(f'{layer}.conv.weight')
        keys += [f'{layer}.bn.{leaf}' for leaf in BN_LEAVES]
    for branch in range(4):
        keys += [f'base.aspp.c{branch}.weight', f'base.aspp.c{branch}.bias']
    return keys


def test_deeplab_pytorch_keys_are_ours_one_to_one(tool):
    keys = official_keys()
    assert len(keys) == 632
    values = {key: torch.tensor(float(i)) for i, key in enumerate(keys)}
    converted, left_out = tool.convert(values)
    with torch.device('meta'):
        model = caffe_model(depth=101, base_channels=64)
    assert set(converted) == set(model.state_dict())
    assert not left_out
    # Spot checks by hand.
    for theirs, ours in (
        ('layer1.conv1.bn.bias', 'backbone.bn1.bias'),
        ('layer4.block23.conv3x3.conv.weight', 'backbone.layer3.22.conv2.weight'),
        ('layer2.block1.shortcut.bn.running_var',
         'backbone.layer1.0.downsample.1.running_var'),
        ('layer5.block2.increase.bn.weight', 'backbone.layer4.1.bn3.weight'),
        ('aspp.c3.weight', 'decode_head.convs.3.weight')):
        assert torch.equal(converted[ours], values[f'base.{theirs}'])
    back, _ = tool.convert(converted, 'deeplab-pytorch')
    assert list(back) == keys
    assert all(torch.equal(back[key], values[key]) for key in keys)


def test_coco_container_leaves_its_classifier_out(tool):
    values = {'layer1.conv1.conv.weight': torch.ones(1),
              'fc.weight': torch.ones(1), 'fc.bias': torch.ones(1)}
    converted, left_out = tool.convert(values)
    assert list(converted) == ['backbone.conv1.weight']
    assert left_out == ['fc.weight', 'fc.bias']


def codebase_names(name):
    """One of our names in the layout of the 448-pixel code base, by hand."""
    stem = {0: 'conv1.0', 1: 'conv1.1', 3: 'conv1.3', 4: 'conv1.4', 6: 'conv1.6',
            7: 'bn1'}
    for i, theirs in stem.items():
        name = name.replace(f'backbone.stem.{i}.', f'backbone.{theirs}.')
    for ours, theirs in (('fov.conv', 'conv_fov'), ('fov.bn', 'bn_fov'),
                         ('fc.conv', 'conv_fov2'), ('fc.bn', 'bn_fov2'),
                         ('conv_seg', 'cls_conv'),
                         ('image_pool.1.conv', 'aspp.branch5_conv'),
                         ('image_pool.1.bn', 'aspp.branch5_bn'),
                         ('bottleneck.conv', 'aspp.conv_cat.0'),
                         ('bottleneck.bn', 'aspp.conv_cat.1')):
        name = name.replace(f'decode_head.{ours}.', f'{theirs}.')
    for i in range(4):
        branch = f'decode_head.aspp_modules.{i}'
        name = name.replace(f'{branch}.conv.', f'aspp.branch{i + 1}.0.')
        name = name.replace(f'{branch}.bn.', f'aspp.branch{i + 1}.1.')
    return name


@pytest.mark.parametrize('head', ['LargeFOVHead', 'ConcatASPPHead'])
def test_codebase_layout(tool, head):
    model = build(
        dict(
            type='EncoderDecoder',
            backbone=BACKBONE,
            decode_head=dict(
                type=head, in_channels=64, in_index=3, channels=4, num_classes=3,
                norm_cfg=NORM)))
    ours = model.state_dict()
    theirs, _ = tool.convert(ours, 'codebase')
    assert set(theirs) == {codebase_names(name) for name in ours}
    for name, value in ours.items():
        other = theirs[codebase_names(name)]
        if name == 'decode_head.bottleneck.conv.weight':
            # mmseg concatenates the pooled branch first, they do so last.
            other = torch.cat([other[:, 16:], other[:, :16]], dim=1)
        assert torch.equal(other, value), name
    back, _ = tool.convert(theirs)
    assert set(back) == set(ours)
    assert all(torch.equal(back[name], ours[name]) for name in ours)


def test_imagenet_trunk_loads_by_init_cfg(tool, tmp_path, capsys):
    backbone = build(BACKBONE)
    theirs = {}
    for name, value in backbone.state_dict().items():
        name = codebase_names(f'backbone.{name}').removeprefix('backbone.')
        theirs[name] = torch.rand_like(value.float()).to(value.dtype)
    theirs['fc.weight'] = torch.ones(1)
    source, target = tmp_path / 'resnets.pth', tmp_path / 'ours.pth'
    torch.save(theirs, source)
    run_tool('model_converters/deeplab_pytorch2mmwsss', source, target)
    assert 'left out: fc.weight' in capsys.readouterr().out
    model = build(dict(BACKBONE, init_cfg=dict(
        type='Pretrained', checkpoint=str(target))))
    model.init_weights()
    assert torch.equal(model.stem[6].weight, theirs['conv1.6.weight'])
    assert torch.equal(model.layer4[2].bn3.bias, theirs['layer4.2.bn3.bias'])


@pytest.mark.parametrize('state_dict, to, message', [
    (dict(a=torch.ones(1)), 'mmwsss', 'unknown layout'),
    ({'layer1.conv1.conv.weight': torch.ones(1), 'aspp.c7.weight': torch.ones(1)},
     'mmwsss', "unexpected key 'aspp.c7.weight'"),
    ({'decode_head.convs.0.weight': torch.ones(1)}, 'mmwsss', 'cannot convert'),
    ({'conv1.0.weight': torch.ones(1)}, 'codebase', 'cannot convert'),
])
def test_errors(tool, state_dict, to, message):
    with pytest.raises(ValueError, match=message):
        tool.convert(state_dict, to)

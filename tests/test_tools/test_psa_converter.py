# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Random weights in the official layouts of PSA and SEAM."""

import os.path as osp
import struct

import numpy as np
import pytest
import torch
from mmseg.registry import MODELS
from tool_runner import load_tool, run_tool

import mmwsss  # noqa: F401
from mmwsss.engine import load_checkpoint_file

ROOT = osp.dirname(osp.dirname(osp.dirname(osp.abspath(__file__))))
LEAVES = ('weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked')
MXNET = dict(
    weight='gamma', bias='beta', running_mean='moving_mean',
    running_var='moving_var')
BLOCKS = {2: 3, 3: 3, 4: 6, 5: 3, 6: 1, 7: 1}


@pytest.fixture(scope='module')
def tool():
    return load_tool('model_converters/psa2mmwsss')


def trunk_keys():
    """The 228 keys of the official WideResNet38, spelled out."""
    keys = ['conv1a.weight']
    for layer, count in BLOCKS.items():
        for i in range(count):
            block = f'b{layer}_{i}' if i else f'b{layer}'
            branches = ['branch2a', 'branch2b1']
            if layer > 5:
                branches.append('branch2b2')
            for branch in branches:
                keys += [f'{block}.bn_{branch}.{leaf}' for leaf in LEAVES]
                keys.append(f'{block}.conv_{branch}.weight')
            if not i:
                keys.append(f'{block}.conv_branch1.weight')
    return keys + [f'bn7.{leaf}' for leaf in LEAVES]


def vgg_keys():
    stages = zip(range(1, 6), (2, 2, 3, 3, 3), strict=True)
    modules = [f'conv{s}_{i + 1}' for s, n in stages for i in range(n)]
    return [f'{module}.{leaf}' for module in (*modules, 'fc6', 'fc7')
            for leaf in ('weight', 'bias')]


def numbered(keys):
    return {key: torch.tensor(float(i)) for i, key in enumerate(keys)}


def model_keys(**cfg):
    with torch.device('meta'):
        return set(MODELS.build(cfg).state_dict())


def test_imagenet_trunk_is_ours_one_to_one(tool):
    values = numbered(trunk_keys())
    assert len(values) == 228
    converted = tool.convert(values)
    assert set(converted) == model_keys(type='WideResNet38')
    for theirs, ours in (
        ('conv1a.weight', 'conv1.weight'),
        ('b4_5.conv_branch2b1.weight', 'layer4.5.conv2.weight'),
        ('b5.conv_branch1.weight', 'layer5.0.shortcut.weight'),
        ('b6.bn_branch2b2.running_var', 'layer6.0.norm3.running_var'),
        ('b7.conv_branch2b2.weight', 'layer7.0.conv3.weight'),
        ('bn7.bias', 'norm.bias')):
        assert converted[ours] == values[theirs]


def test_vgg_trunk_is_ours_one_to_one(tool):
    values = numbered(vgg_keys())
    values['fc8.weight'] = torch.zeros(1000, 1)
    converted = tool.convert(values)
    assert set(converted) == model_keys(type='VGG16FC7')
    assert converted['features.14.bias'] == values['conv3_3.bias']
    assert converted['features.28.weight'] == values['conv5_3.weight']


@pytest.mark.parametrize('backbone, in_channels, group_width', [
    ('WideResNet38', (512, 1024, 4096), None),
    ('VGG16FC7', (512, 512, 1024), 8),
])
def test_psa_models(tool, backbone, in_channels, group_width):
    trunk = trunk_keys() if backbone == 'WideResNet38' else vgg_keys()
    values = numbered(trunk)
    values['fc8.weight'] = torch.rand(20, 4)
    converted = tool.convert({f'module.{k}': v for k, v in values.items()})
    assert set(converted) == model_keys(
        type='WeakSegmentor',
        backbone=dict(type=backbone),
        decode_head=dict(
            type='CAMHead', in_channels=in_channels[-1], num_classes=21))
    assert torch.equal(
        converted['decode_head.classifier.weight'], values['fc8.weight'])
    heads = [f'f8_{i}.weight' for i in (3, 4, 5)] + ['f9.weight']
    if group_width:
        heads += [f'gn8_{i}.{leaf}' for i in (3, 4, 5)
                  for leaf in ('weight', 'bias')]
    values = numbered(trunk + heads)
    converted = tool.convert(values)
    assert set(converted) == model_keys(
        type='WeakSegmentor',
        backbone=dict(type=backbone),
        decode_head=dict(
            type='AffinityHead', in_channels=in_channels, num_classes=21,
            group_width=group_width))
    assert (converted['decode_head.reduce.2.conv.weight'] ==
            values['f8_5.weight'])


def test_seam(tool):
    values = numbered(
        trunk_keys() + ['f8_3.weight', 'f8_4.weight', 'f9.weight'])
    values['fc8.weight'] = torch.rand(21, 4)
    converted = tool.convert(values)
    assert set(converted) == model_keys(
        type='WeakSegmentor',
        backbone=dict(type='WideResNet38'),
        decode_head=dict(
            type='SEAMHead', in_channels=(512, 1024, 4096), num_classes=21))
    assert torch.equal(
        converted['decode_head.classifier.weight'], values['fc8.weight'][1:])


def mxnet_name(key):
    """One of the PyTorch names as MXNet has it, by hand."""
    if key == 'conv1a.weight':
        return 'arg:conv1a_weight'
    module, leaf = key.rpartition('.')[::2]
    kind = 'aux' if 'running' in leaf else 'arg'
    if module == 'bn7':
        return f'{kind}:bn7_{MXNET[leaf]}'
    block, _, part = module.partition('.')
    layer, _, index = block[1:].partition('_')
    block = f'{layer}b{index}' if index else f'{layer}a'
    if part.startswith('conv'):
        return f'{kind}:res{block}_{part[5:]}_weight'
    return f'{kind}:bn{block}_{part[3:]}_{MXNET[leaf]}'


def write_mxnet(path, arrays, version):
    """MXNet's list of arrays in its first or a later format."""
    data = struct.pack('<QQQ', 0x112, 0, len(arrays))
    for array in arrays.values():
        if version == 0:
            data += struct.pack(f'<I{array.ndim}I', array.ndim, *array.shape)
        else:
            magic = {1: 0xF993FAC8, 2: 0xF993FAC9}[version]
            data += struct.pack('<I', magic)
            if version == 2:
                data += struct.pack('<i', 0)
            data += struct.pack(f'<I{array.ndim}q', array.ndim, *array.shape)
        data += struct.pack('<iii', 1, 0, {'f4': 0, 'f2': 2}[array.dtype.str[1:]])
        data += array.tobytes()
    data += struct.pack('<Q', len(arrays))
    for name in arrays:
        data += struct.pack('<Q', len(name)) + name.encode()
    path.write_bytes(data)


@pytest.mark.parametrize('version', [0, 1, 2])
def test_mxnet_file_loads_by_init_cfg(tool, tmp_path, version):
    cfg = dict(type='WideResNet38', base_channels=4)
    torch.manual_seed(0)
    ours = MODELS.build(cfg).state_dict()
    arrays, expected = {}, {}
    for key in trunk_keys():
        if key.endswith('num_batches_tracked'):
            continue
        name, = tool.convert({key: torch.zeros(1)})
        expected[name] = torch.rand_like(ours[name])
        arrays[mxnet_name(key)] = expected[name].numpy()
    arrays['arg:linear1000_weight'] = np.zeros((1000, 2), np.float16)
    source, target = tmp_path / 'r38.params', tmp_path / 'r38.pth'
    write_mxnet(source, arrays, version)
    run_tool('model_converters/psa2mmwsss', source, target)
    state_dict = load_checkpoint_file(target)['state_dict']
    assert set(state_dict) == set(expected)
    model = MODELS.build(
        dict(cfg, init_cfg=dict(type='Pretrained', checkpoint=str(target))))
    model.init_weights()
    loaded = model.state_dict()
    for name, value in expected.items():
        assert torch.equal(loaded[name], value), name


def test_bad_mxnet_files(tool, tmp_path):
    path = tmp_path / 'bad.params'
    arrays = dict(a=np.ones((2, 3), np.float32))
    write_mxnet(path, arrays, 2)
    assert tool.read_mxnet(str(path))['a'].shape == (2, 3)
    whole = path.read_bytes()
    for data, message in ((whole[:-1], 'truncated'), (whole[:50], 'truncated'),
                          (b'PK' + bytes(20), 'no MXNet file'),
                          (whole[:24] + b'\xff' * 8, 'unknown format')):
        path.write_bytes(data)
        with pytest.raises(ValueError, match=f'bad.params.*{message}'):
            tool.read_mxnet(str(path))


def test_unknown_keys(tool):
    with pytest.raises(ValueError, match="unexpected key 'b8.weight'"):
        tool.convert({'b8.weight': torch.ones(1)})
    with pytest.raises(ValueError, match="unexpected array 'arg:x_weight'"):
        tool.convert({'arg:x_weight': torch.ones(1)})

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Random weights in the official layout."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmseg.registry import MODELS
from tool_runner import load_tool, run_tool

import mmwsss  # noqa: F401
from mmwsss.utils import conversion

ROOT = Path(__file__).parents[2]
STATISTICS = ('running_mean', 'running_var', 'num_batches_tracked')
NORM = ('weight', 'bias', *STATISTICS)


@pytest.fixture(scope='module')
def tool():
    return load_tool('model_converters/single_stage2mmwsss')


def config(name: str) -> Config:
    return Config.fromfile(
        ROOT / 'configs' / 'single_stage' / f'single_stage_{name}_voc.py')


def official_decoder(deep: int) -> dict:
    """Keys and shapes of the decoder, PAMR's constants included."""
    shapes = {}

    def conv(name, *shape):
        shapes[f'{name}.weight'] = shape

    def norm(name, channels, leaves=NORM):
        for leaf in leaves:
            shapes[f'{name}.{leaf}'] = (
                () if leaf == 'num_batches_tracked' else (channels, ))

    for i in range(1, 5):
        kernel = 1 if i == 1 else 3
        conv(f'aspp.aspp{i}.atrous_conv', 256, deep, kernel, kernel)
        norm(f'aspp.aspp{i}.bn', 256)
    conv('aspp.global_avg_pool.1', 256, deep, 1, 1)
    norm('aspp.global_avg_pool.2', 256)
    conv('aspp.conv1', 256, 1280, 1, 1)
    norm('aspp.bn1', 256)
    for name, count in (('aff_x', 8), ('aff_m', 8), ('aff_std', 9)):
        shapes[f'_aff.{name}.kernel'] = (count, 1, 3, 3)
    conv('shallow_mask.fc_deep.0', 512, 256, 1, 1)
    norm('shallow_mask.fc_deep.1', 512)
    conv('shallow_mask.fc_skip.0', 256, 256, 1, 1)
    norm('shallow_mask.fc_skip.1', 256, STATISTICS)
    conv('shallow_mask.fc_cls.0', 256, 256, 1, 1)
    norm('shallow_mask.fc_cls.1', 256)
    conv('fc8_skip.0', 48, 256, 1, 1)
    norm('fc8_skip.1', 48)
    conv('fc8_x.0', 256, 304, 3, 3)
    norm('fc8_x.1', 256)
    for i in (0, 4):
        conv(f'last_conv.{i}', 256, 256, 3, 3)
        norm(f'last_conv.{i + 1}', 256)
    conv('last_conv.8', 20, 256, 1, 1)
    shapes['last_conv.8.bias'] = (20, )
    return {key: torch.zeros(shape) for key, shape in shapes.items()}


def official_trunk(name: str, backbone) -> dict:
    """A state dict of the backbone under the official names."""
    state = backbone.state_dict()
    if name.startswith('r'):
        return state
    if name == 'vgg16':
        names = {f'features.{i}': conv for conv, i in conversion.VGG_CONVS.items()}
    else:
        names = {'conv1': 'conv1a', 'norm': 'bn7'}
        for layer in range(2, 8):
            for block in range(6):
                for part, ours in conversion.BLOCK_PARTS.items():
                    index = f'_{block}' if block else ''
                    names[f'layer{layer}.{block}.{ours}'] = (
                        f'b{layer}{index}.{part}')
    renamed = {}
    for key, value in state.items():
        module, leaf = key.rpartition('.')[::2]
        renamed[f'{names.get(module, module)}.{leaf}'] = value
    return renamed


@pytest.mark.parametrize('name, deep, keys', [
    ('wide-r38', 4096, 309), ('vgg16', 1024, 111), ('r50', 2048, 399),
    ('r101', 2048, 705)])
def test_layout(tool, name, deep, keys):
    cfg = config(name)
    with torch.device('meta'):
        model = MODELS.build(cfg.model)
        official = official_decoder(deep)
    official.update(official_trunk(name, model.backbone))
    # The fingerprints of the official networks.
    assert len(official) == keys
    converted = tool.convert({f'module.{k}': v for k, v in official.items()})
    own = model.state_dict()
    assert converted.keys() == own.keys()
    for key, value in own.items():
        assert converted[key].shape == value.shape, key


def test_file(tool, tmp_path):
    """A converted file loads, and values arrive where they belong."""
    cfg = config('r50').model
    cfg.backbone.update(base_channels=4, depth=50, init_cfg=None)
    cfg.decode_head.update(in_channels=(16, 128))
    model = MODELS.build(cfg)
    official = {
        key: torch.randn(value.shape)
        for key, value in official_decoder(128).items()
    }
    for key in ('fc8_skip.0', 'shallow_mask.fc_skip.0'):
        shape = official[f'{key}.weight'].shape
        official[f'{key}.weight'] = torch.randn(shape[0], 16, 1, 1)
    official.update(model.backbone.state_dict())
    torch.save(official, tmp_path / 'in.pth')
    run_tool('model_converters/single_stage2mmwsss', tmp_path / 'in.pth',
             tmp_path / 'out.pth')
    checkpoint = torch.load(tmp_path / 'out.pth', weights_only=True)
    assert checkpoint['meta']['stage'] == 'self_train'
    model.load_state_dict(checkpoint['state_dict'])
    head = model.decode_head
    for ours, key in ((head.aspp.branches[2].conv, 'aspp.aspp3.atrous_conv'),
                      (head.enrich.out.bn, 'shallow_mask.fc_cls.1'),
                      (head.decoder[2].conv, 'last_conv.4'),
                      (head.classifier, 'last_conv.8')):
        assert torch.equal(ours.weight, official[f'{key}.weight'])


def test_another_layout(tool):
    official = official_decoder(8)
    with pytest.raises(ValueError, match="unexpected key 'fc9.weight'"):
        tool.convert({**official, 'fc9.weight': torch.zeros(1)})
    del official['last_conv.8.weight'], official['last_conv.8.bias']
    with pytest.raises(ValueError, match='classifier'):
        tool.convert(official)

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Random weights in the official layout of IRN."""

import os.path as osp

import pytest
import torch
from mmengine.config import Config
from mmseg.registry import MODELS
from tool_runner import load_tool

import mmwsss  # noqa: F401

ROOT = osp.dirname(osp.dirname(osp.dirname(osp.abspath(__file__))))


@pytest.fixture(scope='module')
def tool():
    return load_tool('model_converters/irn2mmwsss')


def meta_model(config):
    cfg = Config.fromfile(osp.join(ROOT, 'configs', config))
    with torch.device('meta'):
        return MODELS.build(cfg.model)


def official_backbone(model):
    """Each tensor thrice: as resnet50.*, as stage*, as backbone.*."""
    keys = {}
    for key, value in model.backbone.state_dict().items():
        keys[f'resnet50.{key}'] = value
        module, rest = key.split('.', 1)
        if module.startswith('layer'):
            number = int(module[-1])
            keys[f'stage{number + 1}.0.{rest}'] = value
            keys[f'backbone.{number}.0.{rest}'] = value
        else:
            keys[f'stage1.{int(module == "bn1")}.{rest}'] = value
            keys[f'backbone.0.{int(module == "bn1")}.{rest}'] = value
    return keys


def official_heads():
    """Name -> shape, as IRN's modules have them."""
    shapes = {}
    for i, width in enumerate((64, 256, 512, 1024, 2048), 1):
        shapes[f'fc_edge{i}.0.weight'] = (32, width, 1, 1)
        for leaf in ('weight', 'bias'):
            shapes[f'fc_edge{i}.1.{leaf}'] = (32, )
    shapes['fc_edge6.weight'], shapes['fc_edge6.bias'] = (1, 160, 1, 1), (1, )
    reduced = (64, 128, 256, 256, 256, 256, 256)
    widths = (64, 256, 512, 1024, 2048, 768, 448)
    for i, (out, width) in enumerate(zip(reduced, widths, strict=True), 1):
        shapes[f'fc_dp{i}.0.weight'] = (out, width, 1, 1)
        for leaf in ('weight', 'bias'):
            shapes[f'fc_dp{i}.1.{leaf}'] = (out, )
    shapes['fc_dp7.3.weight'] = (2, 256, 1, 1)
    shapes['fc_dp7.4.running_mean'] = shapes['mean_shift.running_mean'] = (2, )
    return shapes


def test_boundary_network(tool):
    model = meta_model('irn/irn_r50_voc.py')
    official = official_backbone(model)
    for i, (name, shape) in enumerate(official_heads().items()):
        # A number tells where each tensor went.
        official[name] = torch.full(shape, float(i + 1))
        branch, _, rest = name.partition('.')
        if branch[:-1] in ('fc_edge', 'fc_dp'):
            layers = 'edge_layers' if branch[3] == 'e' else 'dp_layers'
            official[f'{layers}.{int(branch[-1]) - 1}.{rest}'] = official[name]
    official['path_indices0'] = torch.zeros(2, 2, 5)
    official['disp_target'] = torch.zeros(1, 2, 152, 1)
    converted = tool.convert({f'module.{k}': v for k, v in official.items()})
    expected = model.state_dict()
    assert converted.keys() == expected.keys()
    for key, value in converted.items():
        assert value.shape == expected[key].shape, key
    for ours, theirs in (
        ('decode_head.reduce.2.gn.bias', 'fc_edge3.1.bias'),
        ('decode_head.fuse.weight', 'fc_edge6.weight'),
        ('auxiliary_head.reduce.4.conv.weight', 'fc_dp5.0.weight'),
        ('auxiliary_head.join.conv.weight', 'fc_dp6.0.weight'),
        ('auxiliary_head.fuse.gn.weight', 'fc_dp7.1.weight'),
        ('auxiliary_head.field.weight', 'fc_dp7.3.weight'),
        ('auxiliary_head.running_mean', 'mean_shift.running_mean'),
    ):
        assert torch.equal(converted[ours], official[theirs])


def test_cam_network(tool):
    model = meta_model('cam/cam_r50_voc.py')
    official = official_backbone(model)
    official['classifier.weight'] = torch.ones(20, 2048, 1, 1)
    official['newly_added.0.weight'] = official['classifier.weight']
    converted = tool.convert(official)
    expected = model.state_dict()
    assert converted.keys() == expected.keys()
    assert all(converted[k].shape == v.shape for k, v in expected.items())


def test_other_networks_are_refused(tool):
    with pytest.raises(ValueError, match="unexpected key 'fc8.weight'"):
        tool.convert({'fc8.weight': torch.ones(1)})
    with pytest.raises(ValueError, match='neither a CAM nor a boundary'):
        tool.convert({'resnet50.conv1.weight': torch.ones(1)})

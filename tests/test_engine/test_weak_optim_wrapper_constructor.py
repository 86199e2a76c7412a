# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import pytest
from mmengine.optim import build_optim_wrapper
from torch import nn


class Model(nn.Module):

    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4))
        self.decode_head = nn.ModuleDict(
            dict(conv=nn.Conv2d(4, 2, 1), norm=nn.BatchNorm2d(2)))


def build(model, **paramwise_cfg):
    return build_optim_wrapper(
        model,
        dict(
            constructor='WeakOptimWrapperConstructor',
            optimizer=dict(type='SGD', lr=0.1, weight_decay=0.01, momentum=0.9),
            paramwise_cfg=paramwise_cfg))


def settings(model, wrapper) -> dict:
    names = {id(p): name for name, p in model.named_parameters()}
    return {
        names[id(p)]: (round(group['lr'], 6), round(group['weight_decay'], 6))
        for group in wrapper.optimizer.param_groups for p in group['params']
    }


def test_four_groups_of_deeplab():
    model = Model()
    wrapper = build(model, head_mult=10, bias_mult=2, bias_decay=0)
    assert settings(model, wrapper) == {
        'backbone.0.weight': (.1, .01),
        'backbone.0.bias': (.2, 0),
        'backbone.1.weight': (.1, .01),
        'backbone.1.bias': (.1, .01),
        'decode_head.conv.weight': (1., .01),
        'decode_head.conv.bias': (2., 0),
        'decode_head.norm.weight': (1., .01),
        'decode_head.norm.bias': (1., .01),
    }
    groups = wrapper.optimizer.param_groups
    assert len(groups) == 4 and all(g['momentum'] == 0.9 for g in groups)


def test_defaults_change_nothing_and_frozen_is_left_out():
    model = Model()
    model.backbone.requires_grad_(False)
    wrapper = build(model)
    assert set(settings(model, wrapper).values()) == {(.1, .01)}
    assert all(n.startswith('decode_head') for n in settings(model, wrapper))


def test_custom_patterns_come_first():
    model = Model()
    wrapper = build(
        model, head_mult=10, custom=[
            dict(pattern=r'conv\.bias$', lr_mult=0),
            dict(pattern=r'\.conv\.', lr_mult=3, decay_mult=0)])
    found = settings(model, wrapper)
    assert 'decode_head.conv.bias' not in found
    assert found['decode_head.conv.weight'] == (.3, 0)
    assert found['decode_head.norm.weight'] == (1., .01)


def test_errors():
    model = Model()
    with pytest.raises(ValueError, match=r"got \['head_lr'\]"):
        build(model, head_lr=10)
    with pytest.raises(ValueError, match="'classifier' of paramwise_cfg matches"):
        build(model, custom=[dict(pattern='classifier')])
    model.requires_grad_(False)
    with pytest.raises(ValueError, match='nothing to train'):
        build(model)

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import torch
import torch.nn.functional as F
from mmseg.registry import MODELS

TINY = dict(type='WideResNet38', base_channels=4)


def conv(params, name, x, **kwargs):
    return F.conv2d(x, params[f'{name}.weight'], **kwargs)


def norm(params, name, x):
    p = {k: params[f'{name}.{k}']
         for k in ('weight', 'bias', 'running_mean', 'running_var')}
    x = (x - p['running_mean'][:, None, None]) / (
        p['running_var'][:, None, None] + 1e-5).sqrt()
    return x * p['weight'][:, None, None] + p['bias'][:, None, None]


def naive_forward(params, x):
    """The network written down block by block."""
    x = conv(params, 'conv1', x, padding=1)
    features = []
    # Layer, blocks, stride and dilations of the first block, of the others.
    for layer, num, stride, first, other in (
        (2, 3, 2, (1, 1), (1, 1)), (3, 3, 2, (1, 1), (1, 1)),
        (4, 6, 2, (1, 1), (1, 1)), (5, 3, 1, (1, 2), (2, 2))):
        for block in range(num):
            name = f'layer{layer}.{block}'
            s, (d1, d2) = (stride, first) if block == 0 else (1, other)
            a = norm(params, f'{name}.norm1', x).clamp(min=0)
            if layer == 5 and block == 0:
                features.append(a)
            y = conv(params, f'{name}.conv1', a, stride=s, padding=d1, dilation=d1)
            y = norm(params, f'{name}.norm2', y).clamp(min=0)
            y = conv(params, f'{name}.conv2', y, padding=d2, dilation=d2)
            if block == 0:
                x = conv(params, f'{name}.shortcut', a, stride=s)
            x = x + y
        if layer == 3:
            features.append(x)
    for layer in (6, 7):
        name = f'layer{layer}.0'
        a = norm(params, f'{name}.norm1', x).clamp(min=0)
        if layer == 6:
            features.append(a)
        y = conv(params, f'{name}.conv1', a)
        y = norm(params, f'{name}.norm2', y).clamp(min=0)
        y = conv(params, f'{name}.conv2', y, padding=4, dilation=4)
        y = norm(params, f'{name}.norm3', y).clamp(min=0)
        x = conv(params, f'{name}.shortcut', a) + conv(params, f'{name}.conv3', y)
    features.append(norm(params, 'norm', x).clamp(min=0))
    return features


def randomize(model):
    for name, value in model.state_dict().items():
        if 'running_var' in name:
            value.uniform_(0.5, 1.5)
        elif value.is_floating_point() and 'conv' not in name:
            value.normal_()


def test_forward_against_naive():
    torch.manual_seed(0)
    model = MODELS.build(TINY).double().eval()
    randomize(model)
    x = torch.randn(2, 3, 33, 41, dtype=torch.double)
    with torch.no_grad():
        expected = naive_forward(model.state_dict(), x)
        outputs = model(x)
    shapes = [(2, 16, 9, 11), (2, 32, 5, 6), (2, 64, 5, 6), (2, 256, 5, 6)]
    assert [tuple(out.shape) for out in outputs] == shapes
    for output, value in zip(outputs, expected, strict=True):
        torch.testing.assert_close(output, value)


def test_training_keeps_statistics_and_drops_channels():
    model = MODELS.build(TINY).train()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    x = torch.rand(2, 3, 33, 33)
    first, second = model(x), model(x)
    assert torch.equal(first[2], second[2])
    assert not torch.equal(first[3], second[3])
    first[3].sum().backward()
    after = model.state_dict()
    assert all(torch.equal(after[k], v) for k, v in before.items())
    for name, parameter in model.named_parameters():
        learns = 'norm' not in name and not name.startswith(('conv1', 'layer2'))
        assert parameter.requires_grad == (parameter.grad is not None) == learns


def test_options():
    model = MODELS.build(
        dict(TINY, out_indices=(0, 3), frozen_stages=-1, norm_eval=False,
             norm_cfg=dict(type='BN'), dropout_ratios=(0., 0.))).train()
    assert all(p.requires_grad for p in model.parameters())
    statistics = model.norm.running_mean.clone()
    assert len(model(torch.rand(2, 3, 32, 32))) == 2
    assert not torch.equal(model.norm.running_mean, statistics)


def test_vgg_taps():
    torch.manual_seed(0)
    model = MODELS.build(
        dict(type='VGG16FC7', frozen_stages=1, fc6_dilation=4)).train()
    x = torch.rand(1, 3, 33, 33)
    outputs = model(x)
    shapes = [(1, 256, 9, 9), (1, 512, 5, 5), (1, 512, 5, 5), (1, 1024, 5, 5)]
    assert [tuple(out.shape) for out in outputs] == shapes
    assert model.fc6.dilation == (4, 4)
    # Dropout is behind conv5_3; what is before repeats.
    again = model(x)
    assert torch.equal(outputs[2], again[2])
    assert not torch.equal(outputs[3], again[3])
    # conv3_3 by hand: the first ten convolutions' first three stages.
    with torch.no_grad():
        for i in (0, 2, 'pool', 5, 7, 'pool', 10, 12, 14):
            if i == 'pool':
                x = F.max_pool2d(x, 3, 2, 1)
            else:
                layer = model.features[i]
                x = F.conv2d(x, layer.weight, layer.bias, padding=1).relu()
    torch.testing.assert_close(outputs[0], x)

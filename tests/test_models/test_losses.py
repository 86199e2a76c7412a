# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Losses of logits, and of pixels and their pairs, by their definitions."""

import math
import os

import numpy as np
import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
import torch.nn.functional as F
from dense_walk import path_between
from mmseg.registry import MODELS

import mmwsss  # noqa: F401

PIXELS = ('PixelCrossEntropyLoss', 'BalancedCrossEntropyLoss')
PAIRS = ('FeatureAffinityLoss', 'PathAffinityLoss', 'DisplacementLoss')
CHANNELS = dict(PathAffinityLoss=1, DisplacementLoss=2)


def value_of(kind, maps, label, **options):
    """The value of a loss, or the sum of its values."""
    if kind in PAIRS:
        options = dict(radius=3) | options
    value = MODELS.build(dict(type=kind, **options))(maps, label)
    return sum(value.values()) if isinstance(value, dict) else value


def make_inputs(kind):
    """Maps to learn, and labels of which images have different shares."""
    generator = torch.Generator().manual_seed(0)
    maps = torch.randn(4, CHANNELS.get(kind, 3), 5, 6, generator=generator)
    label = torch.randint(3, (4, 5, 6), generator=generator)
    label[0, :2] = 255
    label[3] = 0
    return maps.requires_grad_(), label


def naive_pixels(logits, label):
    """Background and foreground of the cross entropy, pixel by pixel."""
    losses = [], []
    for n, y, x in np.ndindex(label.shape):
        target = int(label[n, y, x])
        if target != 255:
            loss = -F.log_softmax(logits[n, :, y, x], dim=0)[target]
            losses[target > 0].append(loss)
    return losses


def pairs(label, radius=3):
    """IRN's pairs: image, both pixels, and what their labels say."""
    num, height, width = label.shape
    reach = radius - 1
    for n, y, x in np.ndindex(num, height - reach, width):
        for dy, dx in np.ndindex(radius, 2 * reach + 1):
            dx -= reach
            if (not reach <= x < width - reach or (dy, dx) <= (0, 0)
                    or math.hypot(dy, dx) >= radius):
                continue
            one, other = int(label[n, y, x]), int(label[n, y + dy, x + dx])
            if 255 not in (one, other):
                kind = 'neg' if one != other else 'fg' if one else 'bg'
                yield n, (y, x), (y + dy, x + dx), kind


def mean(values):
    return sum(values) / max(len(values), 1)


def naive_affinity_loss(affinity, label):
    """PSA's loss, and IRN's with its code's factor, pair by pair."""
    terms = dict(bg=[], fg=[], neg=[])
    for n, one, other, kind in pairs(label):
        a = affinity(n, one, other)
        terms[kind].append(-torch.log((1 - a if kind == 'neg' else a) + 1e-5))
    return (mean(terms['bg']) + mean(terms['fg'])) / 4 + mean(terms['neg']) / 2


def naive_feature_affinity_loss(features, label):

    def affinity(n, *ends):
        one, other = (features[n, :, y, x] for y, x in ends)
        return torch.exp(-(one - other).abs().mean())

    return naive_affinity_loss(affinity, label)


def naive_path_affinity_loss(logits, label):
    boundary = logits[:, 0].sigmoid()
    return naive_affinity_loss(
        lambda n, *ends: 1 - torch.stack(
            [boundary[n, y, x] for y, x in path_between(*ends)]).max(), label)


def naive_displacement_loss(field, label):
    terms = dict(bg=[], fg=[], neg=[])
    for n, *ends, kind in pairs(label):
        one, other = (field[n, :, y, x] for y, x in ends)
        start, end = torch.tensor(ends)
        target = end - start if kind == 'fg' else 0
        terms[kind].append((one - other - target).abs().mean())
    return mean(terms['bg']) + mean(terms['fg'])


NAIVE = dict(
    PixelCrossEntropyLoss=lambda *inputs: mean(sum(naive_pixels(*inputs), [])),
    BalancedCrossEntropyLoss=lambda *inputs: sum(
        map(mean, naive_pixels(*inputs))),
    FeatureAffinityLoss=naive_feature_affinity_loss,
    PathAffinityLoss=naive_path_affinity_loss,
    DisplacementLoss=naive_displacement_loss)


@pytest.mark.parametrize('kind, keep', [
    *((kind, 'all') for kind in NAIVE),
    *((kind, keep) for keep in ('background', 'foreground') for kind in (
        'BalancedCrossEntropyLoss', 'FeatureAffinityLoss', 'DisplacementLoss'))])
def test_loss_and_gradient_against_naive(kind, keep):
    maps, label = make_inputs(kind)
    if keep == 'background':
        label[(label != 255) & (label != 0)] = 0
    elif keep == 'foreground':
        label[label == 0] = 2
    both = 2 * NAIVE[kind](maps, label), value_of(kind, maps, label, loss_weight=2.)
    torch.testing.assert_close(*both, rtol=1e-4, atol=1e-5)
    default = value_of(kind, maps, label)
    assert default == both[1] / (4 if kind == 'DisplacementLoss' else 2)
    gradients = [torch.autograd.grad(loss, maps)[0] for loss in both]
    torch.testing.assert_close(*gradients, rtol=1e-3, atol=1e-6)
    assert gradients[0].abs().max() > 1e-3


@pytest.mark.parametrize('kind', NAIVE)
def test_nothing_decided_gives_zero(kind):
    maps, label = make_inputs(kind)
    loss = value_of(kind, maps, torch.full_like(label, 255))
    loss.backward()
    assert loss == 0 and not maps.grad.any()


@pytest.mark.parametrize('kind', PIXELS)
def test_weights_and_half_precision_of_pixels(kind):
    maps, label = make_inputs(kind)
    loss = MODELS.build(dict(type=kind))
    assert loss(maps.half(), label).dtype == torch.float32
    weight = torch.full(label.shape, 0.25)
    torch.testing.assert_close(
        loss(maps, label, weight=weight), loss(maps, label) / 4)


def test_displacements_of_background_are_logged_apart():
    field, label = make_inputs('DisplacementLoss')
    losses = MODELS.build(dict(type='DisplacementLoss', radius=3))(
        field, label.clamp(min=1))
    assert losses['loss_displacement_fg'] > losses['loss_displacement_bg'] == 0


def test_equal_features_of_different_labels():
    """Their affinity of 1 costs -log(1e-5)."""
    label = make_inputs('FeatureAffinityLoss')[1]
    features = torch.ones(4, 3, *label.shape[1:], requires_grad=True)
    loss = value_of('FeatureAffinityLoss', features, label)
    loss.backward()
    assert loss.item() == pytest.approx(-math.log(1e-5) / 2, rel=1e-3)
    assert features.grad.isfinite().all()


@pytest.mark.parametrize('kind', PAIRS)
@pytest.mark.parametrize('size, label_size, message', [
    ((5, 6), (5, 7), 'label'),
    ((2, 7), (2, 7), '2x7 has no pairs of radius 3'),
    ((5, 4), (5, 4), '5x4 has no pairs of radius 3'),
])
def test_maps_without_pairs(kind, size, label_size, message):
    maps = torch.zeros(1, CHANNELS.get(kind, 3), *size)
    with pytest.raises(ValueError, match=message):
        value_of(kind, maps, torch.zeros(1, *label_size).long())


def _half_batch(rank, port, gradients):
    os.environ.update(MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port))
    dist.init_process_group('gloo', rank=rank, world_size=2)
    half = slice(2 * rank, 2 * rank + 2)
    for kind, gradient in gradients.items():
        maps, label = make_inputs(kind)
        loss = value_of(kind, maps[half], label[half])
        # What DistributedDataParallel hands to the optimizer.
        gradient[rank] = torch.autograd.grad(loss, maps)[0] / 2
    dist.destroy_process_group()


def test_two_processes_get_the_gradient_of_one():
    """The halves hold different numbers of pixels and pairs of each kind."""
    gradients = {kind: torch.zeros(2, *make_inputs(kind)[0].shape).share_memory_()
                 for kind in NAIVE}
    with torch.no_grad():
        store = dist.TCPStore('127.0.0.1', 0, is_master=True)
    port = store.port
    del store
    mp.start_processes(
        _half_batch, (port, gradients), nprocs=2, start_method='fork')
    for kind, parts in gradients.items():
        maps, label = make_inputs(kind)
        whole, = torch.autograd.grad(value_of(kind, maps, label), maps)
        torch.testing.assert_close(parts.sum(dim=0), whole)


def naive_soft_margin(logits, labels):
    total = 0.
    for row, target in zip(logits.tolist(), labels.tolist(), strict=True):
        terms = [
            y * math.log(1 / (1 + math.exp(-x))) +
            (1 - y) * math.log(math.exp(-x) / (1 + math.exp(-x)))
            for x, y in zip(row, target, strict=True)
        ]
        total += -sum(terms) / len(terms)
    return total / len(logits)


@pytest.mark.parametrize('name, factor', [('MultiLabelSoftMarginLoss', 0.3),
                                          ('InverseClassificationLoss', -0.3)])
def test_classification_losses(name, factor):
    loss = MODELS.build(dict(type=name, loss_weight=0.3))
    logits = torch.randn(3, 5, dtype=torch.double, requires_grad=True)
    labels = (torch.rand(3, 5) > 0.5).double()
    value = loss(logits, labels)
    expected = factor * naive_soft_margin(logits, labels)
    assert value.item() == pytest.approx(expected, rel=1e-5)
    value.backward()
    expected = factor * (logits.sigmoid() - labels) / labels.numel()
    torch.testing.assert_close(logits.grad, expected.detach(), rtol=1e-5,
                               atol=1e-7)
    with pytest.raises(ValueError, match='differ in shape'):
        loss(logits, labels[:, :2])


@pytest.mark.parametrize('present_only', [True, False])
@pytest.mark.parametrize('activation', ['sigmoid', 'max_norm'])
def test_area_loss(activation, present_only):
    loss = MODELS.build(
        dict(
            type='AreaLoss',
            activation=activation,
            present_only=present_only,
            loss_weight=2.))
    maps = torch.randn(2, 3, 4, 5, requires_grad=True)
    labels = torch.tensor([[1., 0., 1.], [0., 0., 1.]])
    expected = 0.
    for n in range(2):
        for c in range(3):
            if present_only and not labels[n, c]:
                continue
            values = maps[n, c].flatten().tolist()
            if activation == 'sigmoid':
                values = [1 / (1 + math.exp(-v)) for v in values]
            else:
                peak = max(max(values), 0)
                values = [max(v, 0) / (peak + 1e-5) for v in values]
            expected += sum(values) / 20
    value = loss(maps, labels)
    assert value.item() == pytest.approx(2 * expected / 6, rel=1e-5)
    value.backward()
    assert maps.grad.abs().sum() > 0

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import math

import pytest
import torch
from mmseg.registry import MODELS


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


def test_area_loss_of_an_unknown_kind():
    with pytest.raises(ValueError, match='tanh'):
        MODELS.build(dict(type='AreaLoss', activation='tanh'))

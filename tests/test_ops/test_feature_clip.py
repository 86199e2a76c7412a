# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import pytest
import torch

from mmwsss.ops import feature_clip


def naive_clip(x, ratio):
    output = x.clone()
    for n in range(x.shape[0]):
        for c in range(x.shape[1]):
            peak = x[n, c].max()
            if peak > 0:
                for value in output[n, c].view(-1).split(1):
                    if value >= ratio * peak:
                        value.fill_(ratio * peak)
    return output


def test_against_naive():
    x = torch.randn(2, 3, 4, 5)
    x[0, 1] = -x[0, 1].abs()
    assert torch.equal(feature_clip(x, 0.15), naive_clip(x, 0.15))
    assert torch.equal(feature_clip(x, 0.15)[0, 1], x[0, 1])


def test_gradients():
    x = torch.rand(1, 1, 3, 3, dtype=torch.double, requires_grad=True)
    clipped = x >= 0.5 * x.max()
    feature_clip(x, 0.5).sum().backward()
    assert torch.equal(x.grad, (~clipped).double())
    x.grad = None
    feature_clip(x, 0.5, detach_max=False).sum().backward()
    expected = (~clipped).double()
    expected[x == x.max()] = 0.5 * clipped.sum()
    torch.testing.assert_close(x.grad, expected)


@pytest.mark.parametrize('dtype', [torch.float64, torch.bfloat16])
def test_dtype_follows(dtype):
    assert feature_clip(torch.rand(1, 2, 3, 3).to(dtype), 0.5).dtype == dtype


@pytest.mark.parametrize('shape, ratio', [((3, 4, 5), 0.5), ((1, 3, 4, 5), 0.),
                                          ((1, 3, 4, 5), 1.5)])
def test_bad_input(shape, ratio):
    with pytest.raises(ValueError):
        feature_clip(torch.rand(shape), ratio)

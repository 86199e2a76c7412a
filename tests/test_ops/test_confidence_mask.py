# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import math

import pytest
import torch

from mmwsss.ops import confidence_mask, expansion_ring


def naive_confidence(logits, n, y, x):
    values = [math.exp(value) for value in logits[n, :, y, x].tolist()]
    best = max(range(len(values)), key=values.__getitem__)
    return values[best] / sum(values), best


def naive_ring(mask, confidence, kernel_size, threshold):
    ring = torch.zeros_like(mask)
    reach = kernel_size // 2
    for n, y, x in torch.ones_like(mask).nonzero().tolist():
        near = mask[n, max(y - reach, 0):y + reach + 1,
                    max(x - reach, 0):x + reach + 1].any()
        ring[n, y, x] = (near and not mask[n, y, x]
                         and confidence[n, y, x] >= threshold)
    return ring


def test_mask_against_naive():
    torch.manual_seed(0)
    logits = 3 * torch.randn(2, 4, 5, 6, dtype=torch.double, requires_grad=True)
    logits.data[0, 2] = -math.inf
    mask, confidence, labels = confidence_mask(logits, 0.7)
    assert 0 < mask.sum() < mask.numel()
    assert mask.dtype == torch.bool and labels.dtype == torch.int64
    assert not confidence.requires_grad
    for n, y, x in torch.ones_like(mask).nonzero().tolist():
        expected, best = naive_confidence(logits, n, y, x)
        assert confidence[n, y, x].item() == pytest.approx(expected, abs=1e-12)
        assert labels[n, y, x] == best
        assert mask[n, y, x] == (expected >= 0.7)
    assert not (labels[0] == 2).any()


def test_valid_pixels_only():
    logits = torch.tensor([9., 0.]).view(1, 2, 1, 1).expand(1, 2, 3, 3)
    valid = torch.zeros(1, 3, 3, dtype=torch.bool)
    valid[0, 1] = True
    assert torch.equal(confidence_mask(logits, 0.9, valid)[0], valid)


def test_threshold_above_one():
    assert not confidence_mask(torch.full((1, 2, 3, 3), 1e4), 1.01)[0].any()
    sure = torch.tensor([200., 0.]).view(1, 2, 1, 1)
    assert confidence_mask(sure, 1.)[0].all()
    assert not confidence_mask(sure, 1.01)[0].any()


def test_half_precision_is_left():
    logits = torch.randn(1, 3, 4, 4).bfloat16()
    _, confidence, _ = confidence_mask(logits, 0.5)
    assert torch.equal(confidence, confidence_mask(logits.float(), 0.5)[1])


@pytest.mark.parametrize('kernel_size', [1, 3, 5, 7])
@pytest.mark.parametrize('threshold', [0., 0.6])
def test_ring_against_naive(kernel_size, threshold):
    torch.manual_seed(kernel_size)
    mask = torch.rand(2, 9, 11) > 0.93
    confidence = torch.rand(2, 9, 11)
    ring = expansion_ring(mask, confidence, kernel_size, threshold)
    assert torch.equal(
        ring, naive_ring(mask, confidence, kernel_size, threshold))
    assert not (ring & mask).any()
    assert ring.any() == (kernel_size > 1)


@pytest.mark.parametrize('call, message', [
    (lambda: confidence_mask(torch.rand(2, 3, 4), 0.5), r'\(N, C, h, w\)'),
    (lambda: confidence_mask(torch.rand(1, 3, 4, 4), 0.5, torch.ones(1, 4, 4)),
     'bool of shape'),
    (lambda: expansion_ring(torch.ones(1, 4, 4), torch.ones(1, 4, 4)), 'bool'),
    (lambda: expansion_ring(torch.ones(1, 4, 4).bool(), torch.ones(1, 4, 5)),
     'confidence'),
    (lambda: expansion_ring(
        torch.ones(1, 4, 4).bool(), torch.ones(1, 4, 4), kernel_size=4), 'odd'),
])
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()

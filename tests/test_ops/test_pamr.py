# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import pytest
import torch
import torch.nn.functional as F
from memory import peak_memory
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS

from mmwsss.ops import pamr

DILATIONS = (1, 2, 4, 8, 12, 24)


def stack(x, dilations, centre):
    """All shifted copies of x (N, C, H, W): (N, C, P, H, W)."""
    height, width = x.shape[2:]
    copies = []
    for d in dilations:
        padded = F.pad(x, [d] * 4, mode='replicate')
        copies += [
            padded[..., i * d:i * d + height, j * d:j * d + width]
            for i in range(3) for j in range(3) if centre or (i, j) != (1, 1)
        ]
    return torch.stack(copies, 2)


def naive_pamr(masks, images, num_iter=10, dilations=DILATIONS, power=1):
    masks = F.interpolate(
        masks, images.shape[2:], mode='bilinear', align_corners=True)
    deviation = stack(images, dilations, True).std(2, keepdim=True)
    distance = (stack(images, dilations, False) - images[:, :, None]).abs()
    scale = 0.1 * deviation if power == 1 else deviation**power
    kernel = -distance / (1e-8 + scale)
    weights = kernel.mean(1, keepdim=True).softmax(2)
    for _ in range(num_iter):
        masks = (stack(masks, dilations, False) * weights).sum(2)
    return masks


@pytest.mark.parametrize('dilations', [DILATIONS, (1, 2, 4, 8), (3, )])
def test_against_naive(dilations):
    torch.manual_seed(0)
    masks = torch.rand(2, 4, 9, 11).double()
    images = torch.rand(2, 3, 33, 41).double()
    expected = naive_pamr(masks, images, dilations=dilations)
    actual = pamr(masks, images, dilations=dilations)
    torch.testing.assert_close(actual, expected)


def test_variance_against_naive():
    torch.manual_seed(0)
    masks, images = torch.rand(2, 1, 3, 15, 20).double()
    expected = naive_pamr(masks, images, power=2)
    actual = pamr(masks, images, variance=True)
    torch.testing.assert_close(actual, expected)
    assert (actual - pamr(masks, images)).abs().max() > 1e-3


def test_against_naive_on_smooth_and_flat_areas():
    torch.manual_seed(0)
    images = torch.rand(1, 3, 3, 4)
    images = F.interpolate(images, size=(30, 40), mode='nearest')
    images[..., :8] = images[..., :8].cumsum(-1) / 10
    images = images.double()
    masks = torch.rand(1, 3, 30, 40).double()
    torch.testing.assert_close(pamr(masks, images), naive_pamr(masks, images))


def test_class_sums_are_preserved():
    torch.manual_seed(0)
    masks = torch.randn(2, 5, 20, 30).double().softmax(1)
    refined = pamr(masks, torch.rand(2, 3, 20, 30).double())
    torch.testing.assert_close(refined.sum(1), torch.ones(2, 20, 30).double())
    assert refined.min() >= 0


def test_the_range_of_a_colour_does_not_matter():
    torch.manual_seed(0)
    masks, images = torch.rand(2, 1, 3, 20, 20).double()
    scale = torch.tensor([255., 4., 0.5])[:, None, None]
    torch.testing.assert_close(
        pamr(masks, images), pamr(masks, images * scale + 7), atol=1e-5, rtol=0)


def test_types_sizes_and_gradient():
    masks = torch.rand(1, 2, 5, 6, requires_grad=True)
    images = torch.randint(256, (1, 3, 10, 12), dtype=torch.uint8)
    assert not pamr(masks, images).requires_grad
    for dtype in (torch.float16, torch.float64):
        refined = pamr(masks.to(dtype), images, num_iter=2)
        assert refined.dtype == dtype and refined.shape == (1, 2, 10, 12)
    resized = F.interpolate(masks, (10, 12), mode='bilinear', align_corners=True)
    assert torch.equal(pamr(masks, images, num_iter=0), resized)


def test_wrong_arguments():
    masks, images = torch.rand(1, 2, 5, 5), torch.rand(1, 3, 5, 5)
    for wrong in (dict(masks=masks[0]), dict(images=images[:, :2]),
                  dict(images=images.expand(2, -1, -1, -1)),
                  dict(num_iter=-1), dict(dilations=()), dict(dilations=(0, )),
                  dict(weights='x'), dict(weights='par', variance=True)):
        with pytest.raises(ValueError, match='must'):
            pamr(**{**dict(masks=masks, images=images), **wrong})


def test_peak_memory():
    """Far less than one copy of the masks a neighbour."""
    masks, images = torch.rand(1, 21, 60, 80), torch.rand(1, 3, 60, 80)
    stacked = 48 * masks.numel() * masks.element_size()
    peak = peak_memory(lambda: pamr(masks, images, num_iter=2))
    assert 0 < peak < stacked / 5


def test_refiner():
    init_default_scope('mmseg')
    refiner = MODELS.build(dict(type='PAMR', num_iter=3, dilations=(1, 2)))
    scores, guide = torch.rand(1, 3, 5, 6), torch.rand(1, 3, 20, 24) * 255
    refined = refiner(scores, guide)
    assert refiner.has_background
    expected = pamr(scores, guide, num_iter=3, dilations=(1, 2))
    assert torch.equal(refined, expected.clamp(0, 1))


def naive_par(masks, images, num_iter, dilations):
    around = stack(images, dilations, False)
    deviation = around.std(2, keepdim=True)
    kernel = -((around - images[:, :, None]).abs() / (deviation + 1e-8) / 0.3)**2
    distance = torch.tensor([
        d * (2**0.5 if i != 1 and j != 1 else 1)
        for d in dilations for i in range(3) for j in range(3) if (i, j) != (1, 1)
    ]).double()
    near = (-(distance / (distance.std() + 1e-8) / 0.3)**2).softmax(0)
    weights = kernel.mean(1, keepdim=True).softmax(2) + 0.01 * near[:, None, None]
    for _ in range(num_iter):
        masks = (stack(masks, dilations, False) * weights).sum(2)
    return masks


@pytest.mark.parametrize('dilations', [DILATIONS, (1, 3)])
def test_par_against_naive(dilations):
    torch.manual_seed(0)
    masks = torch.rand(2, 4, 25, 31).double()
    images = torch.randn(2, 3, 25, 31).double()
    images[0, :, :9] = 0.3
    refined = pamr(masks, images, 5, dilations, weights='par')
    torch.testing.assert_close(refined, naive_par(masks, images, 5, dilations))
    torch.testing.assert_close(
        pamr(torch.ones_like(masks), images, 5, dilations, weights='par'),
        torch.full_like(masks, 1.01**5))


def test_par_as_refiner():
    """What the scores grow by is taken from them: no two classes meet at 1."""
    init_default_scope('mmseg')
    torch.manual_seed(0)
    masks, images = torch.rand(2, 1, 3, 20, 20).double()
    refiner = MODELS.build(dict(type='PAMR', num_iter=20, weights='par'))
    torch.testing.assert_close(
        refiner(masks, images), pamr(masks, images, 20, weights='par') / 1.01**20)

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import pytest
import torch
from torchvision.ops import deform_conv2d

from mmwsss.ops import offset_conv2d


@pytest.mark.parametrize('kernel_size', [1, 3])
# Offsets of 0 (whole pixels), within, and far outside of the map.
@pytest.mark.parametrize('std', [0., 0.5, 8.])
def test_against_torchvision(std, kernel_size):
    generator = torch.Generator().manual_seed(0)

    def leaf(*shape, scale=1.):
        value = torch.randn(shape, generator=generator, dtype=torch.double)
        return (scale * value).requires_grad_()

    x = leaf(2, 4, 6, 5)
    offset = leaf(2, 2 * kernel_size**2, 6, 5, scale=std)
    weight = leaf(3, 4, kernel_size, kernel_size)
    target = torch.randn(2, 3, 6, 5, generator=generator, dtype=torch.double)
    results = []
    for function in (offset_conv2d, lambda x, o, w: deform_conv2d(
            x, o, w, padding=kernel_size // 2)):
        output = function(x, offset, weight)
        gradients = torch.autograd.grad((output * target).sum(),
                                        (x, offset, weight))
        results.append((output, *gradients))
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)


def test_gradient_at_whole_pixels_is_the_forward_difference():
    x = torch.rand(1, 1, 4, 4)
    offset = torch.zeros(1, 2, 4, 4, requires_grad=True)
    offset_conv2d(x, offset, torch.ones(1, 1, 1, 1)).sum().backward()
    below = torch.cat([x[:, :, 1:], torch.zeros(1, 1, 1, 4)], dim=2)
    torch.testing.assert_close(offset.grad[:, :1], below - x)


@pytest.mark.parametrize('shape', [(1, 8, 5, 5), (1, 18, 5, 4), (2, 18, 5, 5)])
def test_wrong_offsets(shape):
    with pytest.raises(ValueError, match='need offsets'):
        offset_conv2d(
            torch.rand(1, 2, 5, 5), torch.rand(shape), torch.rand(2, 2, 3, 3))

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import pytest
import torch
import torch.nn.functional as F

from mmwsss.models.layers import OffsetConv2d


def naive_sample(feature, y, x):
    """Bilinear value of (C, h, w) at (y, x); outside the map it is 0."""
    _, height, width = feature.shape
    value = feature.new_zeros(len(feature))
    y0, x0 = int(y // 1), int(x // 1)
    for yy in (y0, y0 + 1):
        for xx in (x0, x0 + 1):
            if 0 <= yy < height and 0 <= xx < width:
                weight = (1 - abs(y - yy)) * (1 - abs(x - xx))
                value += weight * feature[:, yy, xx]
    return value


@pytest.mark.parametrize('kernel_size', [1, 3])
def test_against_naive(kernel_size):
    torch.manual_seed(0)
    layer = OffsetConv2d(2, 3, kernel_size, offset_std=0.5).double()
    x = torch.randn(1, 2, 5, 4).double()
    output = layer(x, sample=True)
    offset = layer.last_offset[0]
    assert offset.abs().max() > 0.5
    for row in range(5):
        for col in range(4):
            expected = torch.zeros(3).double()
            for n in range(kernel_size**2):
                dy = n // kernel_size - kernel_size // 2
                dx = n % kernel_size - kernel_size // 2
                value = naive_sample(
                    x[0], row + dy + offset[2 * n, row, col].item(),
                    col + dx + offset[2 * n + 1, row, col].item())
                expected += layer.weight[:, :, dy + kernel_size // 2,
                                         dx + kernel_size // 2] @ value
            torch.testing.assert_close(output[0, :, row, col], expected)


def test_zero_offsets_are_a_convolution():
    layer = OffsetConv2d(4, 6).double()
    x = torch.randn(2, 4, 7, 9).double()
    plain = layer(x)
    assert torch.equal(plain, F.conv2d(x, layer.weight, padding=1))
    torch.testing.assert_close(layer(x, sample=True), plain)


def test_zero_offsets_learn():
    layer = OffsetConv2d(4, 6)
    layer(torch.rand(1, 4, 6, 6), sample=True).square().sum().backward()
    assert layer.conv_offset.weight.grad.abs().sum() > 0
    assert layer.conv_offset.bias.grad.abs().sum() > 0


def test_offsets_stay_in_full_precision():
    layer = OffsetConv2d(4, 6, offset_std=0.5)
    x = torch.randn(1, 4, 6, 6)
    expected = layer(x, sample=True)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        output = layer(x, sample=True)
    assert output.dtype == torch.float32
    assert torch.equal(output, expected)

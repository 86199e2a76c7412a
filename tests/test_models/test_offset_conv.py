# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import pytest
import torch
import torch.nn.functional as F
from torchvision.ops import deform_conv2d

from mmwsss.models.layers import OffsetConv2d


@pytest.mark.parametrize('kernel_size', [1, 3])
def test_against_torchvision(kernel_size):
    torch.manual_seed(0)
    layer = OffsetConv2d(2, 3, kernel_size, offset_std=0.5).double()
    x = torch.randn(1, 2, 5, 4).double()
    output = layer(x, sample=True)
    assert layer.last_offset.abs().max() > 0.5
    torch.testing.assert_close(output, deform_conv2d(
        x, layer.conv_offset(x), layer.weight, padding=kernel_size // 2))


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

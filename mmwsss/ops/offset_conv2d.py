# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.ops import deform_conv2d


def offset_conv2d(x: Tensor, offset: Tensor, weight: Tensor) -> Tensor:
    r"""Convolve at shifted positions (deformable convolution v1).

    Stride 1, "same" padding, one offset field for all channels, no modulation.
    `Deformable Convolutional Networks <https://arxiv.org/abs/1703.06211>`_
    (ICCV 2017).

    On a GPU this is torchvision's kernel. On a CPU that kernel visits every
    channel of the input at every kernel point, one value at a time; sampling is
    linear, so here the input is projected first, with fast matrix products, and
    only the fewer projected channels are sampled. The results agree, and so do
    the gradients, also at whole pixels, where both are the forward difference
    (``tools/analysis_tools/benchmark.py offset_conv`` compares them).

    ESOL, Eqs. 3 and 4: the plain convolution, which it is at zero offsets, and that at
    offsets :math:`\Delta p_{1n}`, with the points :math:`p_n` of the kernel:

    .. math::
        F_1(p_0) = \sum_{p_n \in \mathcal R} w_1(p_n) \cdot x(p_0 + p_n)

        F'_1(p_0) = \sum_{p_n \in \mathcal R} w_1(p_n) \cdot
        x(p_0 + p_n + \Delta p_{1n})

    Args:
        x (Tensor): Input of shape (N, C_in, h, w).
        offset (Tensor): Shifts in pixels of shape (N, 2 * k * k, h, w), ordered
            dy, dx for each kernel point, kernel points row by row. Positions
            outside the input read 0.
        weight (Tensor): Kernel of shape (C_out, C_in, k, k), k odd.

    Returns:
        Tensor: Output of shape (N, C_out, h, w).

    Raises:
        ValueError: If the shapes do not fit each other.
    """
    kernel_size = weight.shape[-1]
    expected = (len(x), 2 * kernel_size**2, *x.shape[2:])
    if offset.shape != expected or weight.shape[1] != x.shape[1]:
        raise ValueError(
            f'input {tuple(x.shape)} and kernel {tuple(weight.shape)} need '
            f'offsets {expected}, got {tuple(offset.shape)}')
    radius = kernel_size // 2
    if x.is_cuda:
        return deform_conv2d(x, offset, weight, padding=radius)

    height, width = x.shape[2:]
    rows = torch.arange(height, dtype=x.dtype, device=x.device)[:, None]
    cols = torch.arange(width, dtype=x.dtype, device=x.device)
    output = x.new_zeros(())
    for point in range(kernel_size**2):
        row, col = divmod(point, kernel_size)
        projected = F.conv2d(x, weight[:, :, row, col, None, None])
        output = output + _sample(projected,
                                  offset[:, 2 * point] + rows + (row - radius),
                                  offset[:, 2 * point + 1] + cols + (col - radius))
    return output


def _sample(x: Tensor, rows: Tensor, cols: Tensor) -> Tensor:
    """Bilinear values of (N, C, h, w) at positions (N, h, w), 0 outside."""
    height, width = x.shape[2:]
    top, left = rows.detach().floor(), cols.detach().floor()
    down, right = rows - top, cols - left
    values = x.new_zeros(())
    for y, y_weight in ((top, 1 - down), (top + 1, down)):
        for x_, x_weight in ((left, 1 - right), (left + 1, right)):
            inside = (y >= 0) & (y < height) & (x_ >= 0) & (x_ < width)
            index = (y.clamp(0, height - 1) * width + x_.clamp(0, width - 1))
            corner = x.flatten(2).gather(
                2,
                index.long().flatten(1)[:, None].expand(-1, x.shape[1], -1))
            share = (y_weight * x_weight * inside)[:, None]
            values = values + corner.view_as(x) * share
    return values

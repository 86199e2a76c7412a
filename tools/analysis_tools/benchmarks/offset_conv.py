# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Offset convolution, forward and backward: torchvision's deformable one, ours."""

from collections.abc import Iterator
from functools import partial

import torch
from torchvision.ops import deform_conv2d

from mmwsss.ops import offset_conv2d

from .timing import alternate, ratio_row

BATCH, CHANNELS, WIDTH, KERNEL, STRIDE = 2, 1024, 256, 3, 16


def compare(args) -> Iterator[dict]:
    """The last layer of a ResNet-50, at stride 16."""
    for size in args.sizes:
        side = -(-size // STRIDE)
        torch.manual_seed(0)
        x = torch.rand(BATCH, CHANNELS, side, side)
        offset = torch.randn(BATCH, 2 * KERNEL**2, side, side)
        weight = torch.randn(WIDTH, CHANNELS, KERNEL, KERNEL) / CHANNELS
        x, offset, weight = (one.to(args.device) for one in (x, offset, weight))
        offset.requires_grad_()

        def step(function, inputs=(x, offset, weight), **kwargs):
            output = function(*inputs, **kwargs)
            gradient, = torch.autograd.grad(output.square().sum(), inputs[1])
            return output.detach(), gradient

        seconds, results = alternate({
            'torchvision': partial(step, deform_conv2d, padding=KERNEL // 2),
            'mmwsss': partial(step, offset_conv2d),
        }, args.runs, args.clock)
        differences = [
            float((theirs - ours).abs().max())
            for theirs, ours in zip(*results.values(), strict=True)
        ]
        yield ratio_row(
            'offset_conv',
            f'{BATCH} x {CHANNELS} x {side} x {side}, {WIDTH} channels out',
            seconds, 'torchvision', 'mmwsss', size=size,
            difference=max(differences))

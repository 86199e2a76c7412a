# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""PAMR: a direct stack of all neighbours, ours."""

from collections.abc import Callable, Iterator
from functools import partial
from math import prod

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

from mmwsss.ops import pamr

from .timing import alternate, image_size, ratio_row

DILATIONS = (1, 2, 4, 8, 12, 24)
ITERATIONS = 10
# Numbers in the masks: of more, the stack takes gigabytes and minutes.
LARGEST = 2_000_000


def compare(args) -> Iterator[dict]:
    """Ten iterations over one image, and the memory that they take."""
    for size in args.sizes:
        for classes in args.classes:
            shape = image_size(size)
            if classes * prod(shape) > LARGEST:
                continue
            torch.manual_seed(0)
            masks = torch.randn(1, classes, *shape, device=args.device).softmax(1)
            images = F.interpolate(
                torch.rand(1, 3, 24, 32, device=args.device), size=shape,
                mode='bicubic')
            # Memory does not grow with the iterations.
            stacked, ours = (
                peak_memory(partial(function, masks, images, 1))
                for function in (stacked_pamr, pamr))
            seconds, results = alternate({
                'stack': partial(stacked_pamr, masks, images, ITERATIONS),
                'mmwsss': partial(pamr, masks, images, ITERATIONS, DILATIONS),
            }, args.runs, args.clock, warm_up=0)
            yield ratio_row(
                'pamr', f'{shape[0]} x {shape[1]}', seconds, 'stack', 'mmwsss',
                size=size, classes=classes, memory_ratio=stacked / ours,
                difference=float(
                    (results['stack'] - results['mmwsss']).abs().max()))


def stack(x: Tensor, centre: bool) -> Tensor:
    """The neighbours of all pixels: (N, C, P, H, W)."""
    height, width = x.shape[2:]
    copies = []
    for d in DILATIONS:
        padded = F.pad(x, [d] * 4, mode='replicate')
        copies += [
            padded[..., i * d:i * d + height, j * d:j * d + width]
            for i in range(3) for j in range(3) if centre or (i, j) != (1, 1)
        ]
    return torch.stack(copies, 2)


@torch.no_grad()
def stacked_pamr(masks: Tensor, images: Tensor, num_iter: int) -> Tensor:
    """PAMR as the formulas read."""
    deviation = stack(images, True).std(2, keepdim=True)
    distance = (stack(images, False) - images[:, :, None]).abs()
    weights = -distance / (1e-8 + 0.1 * deviation)
    weights = weights.mean(1, keepdim=True).softmax(2)
    for _ in range(num_iter):
        masks = (stack(masks, False) * weights).sum(2)
    return masks


def peak_memory(function: Callable[[], Tensor]) -> int:
    """The most bytes that a call holds at a time."""
    if torch.cuda.is_initialized():
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        function()
        return torch.cuda.max_memory_allocated() - before
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as trace:
        function()
    held = peak = 0
    for event in trace.profiler.kineto_results.events():
        if event.name() == '[memory]':
            held += event.nbytes()
            peak = max(peak, held)
    return peak

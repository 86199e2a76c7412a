# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Random walk, 256 steps of radius 5 at stride 4: a dense transition matrix, ours."""

from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor

from mmwsss.ops import path_affinity, random_walk
from mmwsss.structures.seed import strided_size

from .timing import alternate, image_size, ratio_row

RADIUS, BETA, SQUARINGS = 5, 10, 8
# Its time grows with the third power of the pixels: larger maps are left out.
DENSE_UP_TO = 3600


def compare(args) -> Iterator[dict]:
    """Random scores and boundaries; where the dense walk takes minutes, ours at
    one size stands against ours at the size before."""
    for classes in args.classes:
        last = None
        for size in args.sizes:
            cells = strided_size(image_size(size))
            generator = torch.Generator().manual_seed(0)
            scores = torch.rand(1, classes, *cells, generator=generator)
            boundary = torch.rand(1, 1, *cells, generator=generator)**4
            inputs = scores.to(args.device), boundary.to(args.device)
            ours = partial(random_walk, *inputs, radius=RADIUS, beta=BETA,
                           steps=2**SQUARINGS)
            case = f'map of {cells[0]} x {cells[1]}'
            if cells[0] * cells[1] <= DENSE_UP_TO:
                seconds, results = alternate(
                    {'dense matrix': partial(dense_walk, *inputs), 'mmwsss': ours},
                    args.runs, args.clock, warm_up=0)
                dense, sparse = results.values()
                yield ratio_row(
                    'walk', case, seconds, 'dense matrix', 'mmwsss', size=size,
                    classes=classes, difference=float((dense - sparse).abs().max()))
            elif last is not None:
                smaller, function = last
                name = f'ours at {smaller}'
                seconds, _ = alternate({name: function, 'mmwsss': ours}, args.runs,
                                       args.clock)
                yield ratio_row('walk', case, seconds, name, 'mmwsss', size=size,
                                classes=classes)
            last = size, ours


def dense_walk(scores: Tensor, boundary: Tensor) -> Tensor:
    """The walk by squaring a dense transition matrix."""
    height, width = boundary.shape[2:]
    pixels = torch.arange(height * width, device=scores.device).view(height, width)
    matrix = torch.eye(height * width, device=scores.device)
    affinity, offsets = path_affinity(boundary, RADIUS)
    for values, (dy, dx) in zip(affinity[0], offsets.tolist(), strict=True):
        rows = slice(0, height - dy), slice(max(0, -dx), width - max(0, dx))
        first = pixels[rows].flatten()
        second = first + dy * width + dx
        matrix[first, second] = matrix[second, first] = values[rows].flatten()
    matrix.pow_(BETA)
    matrix /= matrix.sum(0, keepdim=True)
    for _ in range(SQUARINGS):
        matrix = matrix @ matrix
    start = (scores * (1 - boundary)).flatten(2)[0]
    return (start @ matrix).view_as(scores)

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Pairs of near pixels by what their labels say, averaged over all processes."""

import torch
from mmengine.dist import all_reduce, get_world_size
from torch import Tensor

from mmwsss.ops.pixel_pairs import pair_offsets

EPS = 1e-5


def pair_area(x: Tensor, radius: int, offset: tuple[int, int] = (0, 0)) -> Tensor:
    """Values at one end of pairs (a view).

    Pairs start at the pixels all of whose partners lie in the map: not in the
    last ``radius - 1`` rows nor in as many columns at either side.

    Args:
        x (Tensor): Of shape (..., h, w).
        radius (int): Pairs are closer than this, in pixels.
        offset (tuple[int, int]): (dy, dx) from the start of the pairs to the
            asked end. Defaults to (0, 0): their start.

    Returns:
        Tensor: Of shape (..., h - radius + 1, w - 2 * radius + 2).

    Raises:
        ValueError: If the map is too small for a pair.
    """
    height, width = x.shape[-2:]
    margin = radius - 1
    if height <= margin or width <= 2 * margin:
        raise ValueError(
            f'a map of {height}x{width} has no pairs of radius {radius}, it must '
            f'be larger than {margin}x{2 * margin}')
    dy, dx = offset
    return x[..., dy:height - margin + dy, margin + dx:width - margin + dx]


def pair_kinds(label: Tensor, radius: int) -> Tensor:
    """Sort pairs of pixels by their labels.

    Args:
        label (Tensor): Class ids of shape (N, h, w), 0 is background, 255 is
            undecided.
        radius (int): Pairs are closer than this, in pixels.

    Returns:
        Tensor: Bool of shape (3, N, P, h', w'): both background, both of one
        foreground class, of different classes. See :func:`pair_area`.
    """
    start = pair_area(label, radius)[:, None]
    end = torch.stack(
        [pair_area(label, radius, offset) for offset in pair_offsets(radius)],
        dim=1)
    equal, valid = start == end, (start != 255) & (end != 255)
    return torch.stack([
        equal & (start == 0), equal & (start != 0) & valid, ~equal & valid
    ])


def kind_means(sums: Tensor, counts: Tensor) -> Tensor:
    """Means over the pairs of all processes.

    Args:
        sums (Tensor): Sums over the pairs of this process, of shape (G,).
        counts (Tensor): Their numbers, of shape (G,).

    Returns:
        Tensor: Means of shape (G,), 0 where there is no pair. Averaged over the
        processes, as DistributedDataParallel does it with gradients, they are
        those of one process with the whole batch.
    """
    counts = counts.to(sums)
    all_reduce(counts)
    return sums * get_world_size() / (counts + EPS)

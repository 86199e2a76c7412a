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


def affinity_loss(affinity: Tensor, label: Tensor, radius: int) -> Tensor:
    r"""The loss that PSA and IRN share: near pixels of one label are alike.

    .. math::
        \mathcal L =
        - \frac 1 {4 |\mathcal P_{bg}^+|} \sum_{\mathcal P_{bg}^+} \log a_{ij}
        - \frac 1 {4 |\mathcal P_{fg}^+|} \sum_{\mathcal P_{fg}^+} \log a_{ij}
        - \frac 1 {2 |\mathcal P^-|} \sum_{\mathcal P^-} \log (1 - a_{ij})

    with 1e-5 inside the logarithms: pairs of background, pairs of one
    foreground class and pairs of different classes each have a mean of their own,
    however many there are. The means are those of :func:`kind_means`.

    Args:
        affinity (Tensor): Affinities ``a`` of shape (N, P, h, w), at the first
            pixel of each pair, as :mod:`mmwsss.ops` gives them.
        label (Tensor): Class ids of shape (N, h, w), 0 is background, 255 is
            undecided.
        radius (int): Pairs are closer than this, in pixels.

    Returns:
        Tensor: The loss, a scalar; 0 with zero gradients if there is no pair.
    """
    affinity = pair_area(affinity, radius)
    kinds = pair_kinds(label, radius)
    attract, repel = -torch.log(affinity + EPS), -torch.log(1 + EPS - affinity)
    sums = torch.stack([
        torch.where(kind, term, 0.).sum()
        for kind, term in zip(kinds, (attract, attract, repel), strict=True)
    ])
    means = kind_means(sums, kinds.flatten(1).sum(1))
    return (means * means.new_tensor([0.25, 0.25, 0.5])).sum()

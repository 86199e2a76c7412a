# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from .pixel_pairs import pair_offsets, pair_slices, path_offsets


def path_affinity(boundary: Tensor, radius: int) -> tuple[Tensor, Tensor]:
    r"""Affinity of near pixels: whether a boundary lies between them.

    The affinity of two pixels is 1 less the strongest boundary on the way
    from one to the other, themselves included. `IRN
    <https://arxiv.org/abs/1904.05044>`_ (Ahn et al., CVPR 2019).

    The path to every neighbour is a fixed set of offsets, so the maximum runs
    over shifted views of the boundary map; nothing of the size of all paths is
    ever made, in the backward pass neither. Where several pixels of a path
    share the maximum, the gradient goes to the one nearest to the second
    pixel.

    SANCE, Eq. 2, with n = 1, which makes it IRN's, too:

    .. math::
        a_{ij} = \begin{cases} (1 - \max_{k \in \mathcal P_{ij}} B_k)^n &
        \text{if } d(i, j) < \delta \\ 0 & \text{otherwise} \end{cases}

    Args:
        boundary (Tensor): Boundary probabilities of shape (N, 1, h, w) in
            [0, 1].
        radius (int): Pairs are closer than this, in pixels; at least 2.

    Returns:
        tuple[Tensor, Tensor]: Affinities of shape (N, P, h, w), at the first
        pixel of each pair, 0 where the second lies outside; and the P offsets
        (dy, dx) from the first to the second, int64 of shape (P, 2). Each
        unordered pair comes once.

    Raises:
        ValueError: If the shape, the range or the radius is not as above.

    Example:
        >>> import torch
        >>> from mmwsss.ops import path_affinity
        >>> affinity, offsets = path_affinity(torch.rand(1, 1, 32, 48), 5)
        >>> affinity.shape, offsets.shape
        (torch.Size([1, 34, 32, 48]), torch.Size([34, 2]))
    """
    check_boundary(boundary)
    offsets = pair_offsets(radius)
    affinity = _PathAffinity.apply(boundary, offsets)
    return affinity, torch.tensor(offsets, device=boundary.device)


def check_boundary(boundary: Tensor) -> None:
    """Raise a ValueError unless it is (N, 1, h, w) in [0, 1]."""
    if boundary.ndim != 4 or boundary.shape[1] != 1:
        raise ValueError('boundary must have the shape (N, 1, h, w), got '
                         f'{tuple(boundary.shape)}')
    if not boundary.is_floating_point():
        raise ValueError(
            f'boundary must be of a floating type, got {boundary.dtype}')
    if boundary.numel():
        # Half precision has no aminmax in PyTorch 2.1.
        wide = torch.promote_types(boundary.dtype, torch.float32)
        low, high = boundary.detach().to(wide).aminmax()
        # NaN fails this, too.
        if not (low >= 0 and high <= 1):
            raise ValueError('boundary must lie in [0, 1], got '
                             f'[{low:.4g}, {high:.4g}]')


class _PathAffinity(torch.autograd.Function):

    @staticmethod
    def forward(ctx, boundary: Tensor, offsets: tuple) -> Tensor:
        edge = boundary[:, 0]
        num_images, height, width = edge.shape
        affinity = edge.new_zeros((num_images, len(offsets), height, width))
        # Which pixel of its path is the strongest: one byte a pair.
        strongest = None
        if ctx.needs_input_grad[0]:
            strongest = torch.zeros_like(affinity, dtype=torch.uint8)
        for i, offset in enumerate(offsets):
            start, end, *rest = pair_slices((height, width), offset,
                                            ((0, 0), *path_offsets(offset)))
            if not edge[start].numel():
                continue
            peak = edge[end].clone()
            best = torch.zeros_like(peak, dtype=torch.uint8)
            for j, point in enumerate(rest, 1):
                if strongest is not None:
                    best.masked_fill_(edge[point] > peak, j)
                torch.maximum(peak, edge[point], out=peak)
            affinity[:, i][start] = 1 - peak
            if strongest is not None:
                strongest[:, i][start] = best
        ctx.offsets = offsets
        ctx.save_for_backward(strongest)
        return affinity

    @staticmethod
    @once_differentiable
    def backward(ctx, grad: Tensor) -> tuple:
        strongest, = ctx.saved_tensors
        num_images, _, height, width = grad.shape
        edge_grad = grad.new_zeros((num_images, height, width))
        for i, offset in enumerate(ctx.offsets):
            start, *path = pair_slices((height, width), offset,
                                       ((0, 0), *path_offsets(offset)))
            pair_grad, best = grad[:, i][start], strongest[:, i][start]
            for j, point in enumerate(path):
                edge_grad[point].addcmul_(pair_grad, best == j, value=-1)
        return edge_grad[:, None], None

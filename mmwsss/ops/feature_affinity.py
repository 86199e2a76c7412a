# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from .pixel_pairs import pair_offsets, pair_slices


def feature_affinity(features: Tensor,
                     radius: int,
                     border: bool = False) -> tuple[Tensor, Tensor]:
    r"""Affinity of near pixels: how alike their features are.

    ``exp(-mean_c |f_i - f_j|)``. `AffinityNet (PSA)
    <https://arxiv.org/abs/1803.10464>`_ (Ahn and Kwak, CVPR 2018).

    The difference of a pair is recomputed in the backward pass: nothing of the
    size of all pairs times all channels is ever made.

    PSA's affinity, with the mean over channels for the norm, as in its code:

    .. math::
        W_{ij} = \exp \{ -\| f^{aff}(x_i, y_i) - f^{aff}(x_j, y_j) \|_1 \}

    Args:
        features (Tensor): Of shape (N, C, h, w).
        radius (int): Pairs are closer than this, in pixels; at least 2.
        border (bool): Whether pairs count that start in the first or last
            ``radius - 1`` columns or the last ``radius - 1`` rows. The
            authors' code leaves them out, in training and in the walk.
            Defaults to False.

    Returns:
        tuple[Tensor, Tensor]: Affinities of shape (N, P, h, w), at the first
        pixel of each pair, 0 where there is no pair; and the P offsets
        (dy, dx) from the first to the second, int64 of shape (P, 2). Each
        unordered pair comes once.

    Raises:
        ValueError: If the shape or the radius is not as above.
    """
    if features.ndim != 4 or not features.shape[1]:
        raise ValueError('features must have the shape (N, C, h, w), got '
                         f'{tuple(features.shape)}')
    if not features.is_floating_point():
        raise ValueError(
            f'features must be of a floating type, got {features.dtype}')
    offsets = pair_offsets(radius)
    affinity = _FeatureAffinity.apply(features, offsets)
    if not border:
        height, width = features.shape[2:]
        affinity = affinity * pair_starts((height, width), radius).to(affinity)
    return affinity, torch.tensor(offsets, device=features.device)


def pair_starts(size: tuple[int, int], radius: int) -> Tensor:
    """Pixels whose half disc of neighbours lies inside, bool of (h, w)."""
    height, width = size
    starts = torch.zeros(size, dtype=torch.bool)
    reach = radius - 1
    starts[:max(0, height - reach), reach:max(reach, width - reach)] = True
    return starts


class _FeatureAffinity(torch.autograd.Function):

    @staticmethod
    def forward(ctx, features: Tensor, offsets: tuple) -> Tensor:
        num_images, _, height, width = features.shape
        affinity = features.new_zeros((num_images, len(offsets), height, width))
        for i, offset in enumerate(offsets):
            start, end = pair_slices((height, width), offset, ((0, 0), offset))
            if features[start].numel():
                difference = features[start] - features[end]
                affinity[:, i][start] = difference.abs_().mean(1).neg_().exp_()
        ctx.offsets = offsets
        ctx.save_for_backward(features, affinity)
        return affinity

    @staticmethod
    @once_differentiable
    def backward(ctx, grad: Tensor) -> tuple:
        features, affinity = ctx.saved_tensors
        _, channels, height, width = features.shape
        slope = -grad * affinity / channels
        feature_grad = torch.zeros_like(features)
        for i, offset in enumerate(ctx.offsets):
            start, end = pair_slices((height, width), offset, ((0, 0), offset))
            if not features[start].numel():
                continue
            pair_grad = torch.sign(features[start] - features[end])
            pair_grad *= slope[:, i, None][start]
            feature_grad[start] += pair_grad
            feature_grad[end] -= pair_grad
        return feature_grad, None

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import torch
from torch import Tensor

DISTANCES = ('signed', 'absolute')


@torch.no_grad()
def choose_attention(attention: Tensor,
                     affinity: Tensor,
                     distance: str = 'signed',
                     max_norm: bool = False) -> Tensor:
    r"""Attention of frozen blocks that agrees with an affinity which learns.

    The refinement module (RFM) of WeCLIP. Blocks whose attention :math:`A_l` is no
    farther from the affinity S than the mean block are averaged, and the result is
    weighed by S:

    .. math::
        d_l = \sum_{ij} (S_{ij} - A_{l,ij}), \quad
        A = S \odot \frac 1 {|\mathcal K| + 10^{-5}} \sum_{l \in \mathcal K} A_l,
        \quad \mathcal K = \{l: d_l \le \bar d\}

    Args:
        attention (Tensor): Of L blocks, each patch to each, of shape (L, N, N).
        affinity (Tensor): In [0, 1], of shape (N, N).
        distance (str): ``'signed'``, as the published code adds up differences, or
            ``'absolute'``, with :math:`|S_{ij} - A_{l,ij}|`. Defaults to 'signed'.
        max_norm (bool): Whether S is divided by its maximum first. Defaults to
            False, as in the code.

    Returns:
        Tensor: Of shape (N, N), without gradient.

    Raises:
        ValueError: If a shape or the distance is not as above.
    """
    if attention.ndim != 3 or attention.shape[1:] != affinity.shape or not len(
            attention):
        raise ValueError(
            'attention must be of shape (L, N, N) and affinity of (N, N), got '
            f'{tuple(attention.shape)} and {tuple(affinity.shape)}')
    if distance not in DISTANCES:
        raise ValueError(f'distance must be one of {DISTANCES}, got {distance!r}')
    affinity = affinity.float()
    if max_norm:
        affinity = affinity / affinity.amax()
    differences = affinity - attention.float()
    if distance == 'absolute':
        differences = differences.abs()
    distances = differences.sum(dim=(1, 2))
    kept = distances <= distances.mean()
    mean = attention[kept].float().sum(dim=0) / (kept.sum() + 1e-5)
    return mean * affinity

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""What MCTformer makes of tokens, as functions of tensors."""

import torch
import torch.nn.functional as F
from torch import Tensor


def head_means(query: Tensor, key: Tensor, scale: float) -> Tensor:
    """Attention of tokens to tokens, the mean over the heads.

    Args:
        query (Tensor): Of shape (N, heads, T, d).
        key (Tensor): Likewise.
        scale (float): Factor of their products.

    Returns:
        Tensor: Of shape (N, T, T); each row sums up to 1.
    """
    # One head after the other: no tensor holds all of them.
    heads = zip(query.unbind(1), key.unbind(1), strict=True)
    return sum((q @ k.transpose(1, 2) * scale).softmax(dim=-1)
               for q, k in heads) / query.shape[1]


def refine_maps(maps: Tensor, affinity: Tensor) -> Tensor:
    r"""Let each patch gather what the patches it attends to hold.

    MCTformer's patch affinity, which is not normalised again, with the attention
    :math:`P` of patch i to patch j:

    .. math::
        \hat A_c(i) = \sum_j P(i, j) A_c(j)

    Args:
        maps (Tensor): Of shape (N, C, h, w).
        affinity (Tensor): :math:`P`, of shape (N, h * w, h * w).

    Returns:
        Tensor: Of the shape of ``maps``.

    Raises:
        ValueError: If there are not as many patches in both.
    """
    if affinity.shape[1:] != (maps[0, 0].numel(), ) * 2:
        raise ValueError(f'affinities of shape {tuple(affinity.shape)} do not fit '
                         f'maps of {tuple(maps.shape)}')
    refined = maps.flatten(2) @ affinity.transpose(1, 2)
    return refined.view_as(maps)


def from_zero(maps: Tensor) -> Tensor:
    """Maps (..., h, w), each less its least value.

    Every patch attends to every other a little, so maps of attention are far from 0
    everywhere. Min-max normalisation gives the same with and without this.
    """
    return maps - maps.amin(dim=(-2, -1), keepdim=True)


def rank_weighted_pool(maps: Tensor, decay: float) -> Tensor:
    r"""Pool maps by the rank of their values.

    MCTformer+ (GWRP), with the values :math:`F_{(j)}` of a map of M patches by
    falling size: between the maximum (decay 0) and the mean (decay 1).

    .. math::
        y_c = \frac {\sum_{j=0}^{M-1} d^j F_{c,(j)}} {\sum_{j=0}^{M-1} d^j}

    Args:
        maps (Tensor): Of shape (N, C, h, w).
        decay (float): :math:`d`, in [0, 1].

    Returns:
        Tensor: Of shape (N, C).
    """
    ranked = maps.flatten(2).sort(dim=-1, descending=True).values
    # In single precision the base's own rounding would grow with its power.
    weights = decay**torch.arange(
        ranked.shape[-1], dtype=torch.float64, device=ranked.device)
    weights = (weights / weights.sum()).to(
        torch.promote_types(ranked.dtype, torch.float32))
    return (ranked * weights).sum(dim=-1)


def rescale_positions(positions: Tensor, old: tuple[int, int],
                      new: tuple[int, int], offset: float = 0.,
                      mode: str = 'bicubic') -> Tensor:
    """Position embeddings of a grid of patches for a grid of another size.

    Args:
        positions (Tensor): Of shape (1, h * w, D).
        old (tuple[int]): Their grid, (h, w).
        new (tuple[int]): The grid wanted.
        offset (float): Added to the new sides where the factor is computed: the
            code of V1 and V2, as DINO's, adds 0.1 against rounding, and so samples
            at slightly other places. Defaults to 0.
        mode (str): As in :func:`torch.nn.functional.interpolate`. Defaults to
            'bicubic'.

    Returns:
        Tensor: Of shape (1, h' * w', D).
    """
    maps = positions.transpose(1, 2).unflatten(2, old)
    if offset:
        factors = tuple((n + offset) / o for n, o in zip(new, old, strict=True))
        maps = F.interpolate(maps, scale_factor=factors, mode=mode)
    else:
        maps = F.interpolate(maps, size=new, mode=mode)
    return maps.flatten(2).transpose(1, 2)

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from torch import Tensor

EPS = 1e-5


def max_norm(maps: Tensor, eps: float = EPS) -> Tensor:
    """Divide each map by its maximum + ``eps``.

    Args:
        maps (Tensor): Of shape (..., h, w), not negative.
        eps (float): Defaults to 1e-5.

    Returns:
        Tensor: Of the same shape, in [0, 1).
    """
    return maps / (maps.amax(dim=(-2, -1), keepdim=True) + eps)


def min_max_norm(maps: Tensor, eps: float = EPS) -> Tensor:
    """Stretch each map to [0, 1], as SEAM does, the least values cut off.

    Args:
        maps (Tensor): Of shape (..., h, w).
        eps (float): Added to the range of values, and subtracted from each.
            Defaults to 1e-5.

    Returns:
        Tensor: Of the same shape.
    """
    low = maps.amin(dim=(-2, -1), keepdim=True)
    high = maps.amax(dim=(-2, -1), keepdim=True)
    return (maps - low - eps).relu() / (high - low + eps)

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from torch import Tensor

EPS = 1e-5


def max_norm(maps: Tensor) -> Tensor:
    """Divide each map by its maximum + 1e-5.

    Args:
        maps (Tensor): Of shape (..., h, w), not negative.

    Returns:
        Tensor: Of the same shape, in [0, 1).
    """
    return maps / (maps.amax(dim=(-2, -1), keepdim=True) + EPS)


def min_max_norm(maps: Tensor) -> Tensor:
    """Stretch each map to [0, 1], as SEAM does, the least values cut off.

    Args:
        maps (Tensor): Of shape (..., h, w).

    Returns:
        Tensor: Of the same shape.
    """
    low = maps.amin(dim=(-2, -1), keepdim=True)
    high = maps.amax(dim=(-2, -1), keepdim=True)
    return (maps - low - EPS).relu() / (high - low + EPS)

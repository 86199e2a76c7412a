# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from torch import Tensor

EPS = 1e-5


def max_norm(maps: Tensor, eps: float = EPS) -> Tensor:
    r"""Divide each map by its maximum + ``eps``.

    .. math::
        \hat M = \frac M {\max_i M_i + \epsilon}

    Args:
        maps (Tensor): Of shape (..., h, w), not negative.
        eps (float): Defaults to 1e-5.

    Returns:
        Tensor: Of the same shape, in [0, 1).
    """
    return maps / (maps.amax(dim=(-2, -1), keepdim=True) + eps)


def min_max_norm(maps: Tensor, eps: float = EPS) -> Tensor:
    r"""Stretch each map to [0, 1], as SEAM does, the least values cut off.

    .. math::
        \hat M = \frac {\operatorname{ReLU}(M - \min_i M_i - \epsilon)}
        {\max_i M_i - \min_i M_i + \epsilon}

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

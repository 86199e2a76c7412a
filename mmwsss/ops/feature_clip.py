# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import torch
from torch import Tensor


def feature_clip(x: Tensor, ratio: float, detach_max: bool = True) -> Tensor:
    r"""Clip every channel of every image at a fraction of its own maximum.

    Discriminative pixels lose their lead over the rest of the object, so that
    a later sampler can select either. ESOL, Eq. 7.

    .. math::
        F'_{clip}(x_i) = \begin{cases} \beta \max(x) & x_i \ge \beta \max(x) \\
        x_i & \text{otherwise} \end{cases}

    Args:
        x (Tensor): Features of shape (N, C, h, w).
        ratio (float): The fraction ``beta`` in (0, 1].
        detach_max (bool): Whether the threshold is a constant for autograd.
            Otherwise the gradient of every clipped pixel flows into the single
            pixel that holds the maximum. Defaults to True.

    Returns:
        Tensor: Clipped features, of the shape of ``x``. Channels whose maximum
        is not positive are left as they are.

    Raises:
        ValueError: If ``x`` is not 4-D or ``ratio`` is outside (0, 1].
    """
    if x.ndim != 4:
        raise ValueError(f'features must be (N, C, h, w), got {tuple(x.shape)}')
    if not 0 < ratio <= 1:
        raise ValueError(f'clip ratio must be in (0, 1], got {ratio}')
    peak = x.amax(dim=(2, 3), keepdim=True)
    if detach_max:
        peak = peak.detach()
    threshold = ratio * peak
    return torch.where((x >= threshold) & (peak > 0), threshold, x)

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import torch
from torch import Tensor


def affinity_label(foreground: Tensor, background: Tensor) -> Tensor:
    r"""Join a careful and a generous label map; leave out where they disagree.

    `IRN <https://arxiv.org/abs/1904.05044>`_ (Ahn et al., CVPR 2019) trusts as
    foreground what a high threshold leaves and as background what even a low one
    does not reach; the rest is undecided. Of the label maps F, at the high threshold,
    and B, at the low one, it makes

    .. math::
        Y_i = \begin{cases} F_i & \text{if } F_i > 0 \\
        0 & \text{if } F_i = B_i = 0 \\ 255 & \text{otherwise} \end{cases}

    Args:
        foreground (Tensor): Class ids at the high threshold, integers of any
            shape, 0 is background.
        background (Tensor): Class ids at the low threshold, same shape.

    Returns:
        Tensor: ``foreground``, where it is not 0; 0, where both are 0; 255
        elsewhere. Of the type of ``foreground``.

    Raises:
        ValueError: If the shapes differ.
    """
    if foreground.shape != background.shape:
        raise ValueError(f'background must have the shape '
                         f'{tuple(foreground.shape)} of foreground, got '
                         f'{tuple(background.shape)}')
    undecided = (foreground == 0) & (background != 0)
    return torch.where(undecided, torch.full_like(foreground, 255), foreground)

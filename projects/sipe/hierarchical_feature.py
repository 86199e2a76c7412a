# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from collections.abc import Sequence

import torch
from mmseg.registry import MODELS
from torch import Tensor, nn

from mmwsss.structures import resize_maps

EPS = 1e-5


@MODELS.register_module()
class HierarchicalFeature(nn.Module):
    r"""Features of all levels of a backbone, side by side.

    A bias-free 1x1 convolution reduces each level; its output is divided by its
    length in each pixel, so that all levels weigh alike, and brought to the size
    of the deepest one (bilinear, align_corners False). Only the convolutions
    learn: features are detached. :class:`SIPEHead` describes pixels and
    prototypes by it.

    .. math::
        H = \operatorname{concat}_l \; \operatorname{resize} \left(
        \frac {W_l s_l} {\| W_l s_l \|_2 + 10^{-5}} \right)

    Resizing shortens vectors where neighbours differ: such a level then weighs
    less, as in the published code.

    Args:
        in_channels (Sequence[int]): Channels of each level.
        channels (Sequence[int]): What they are reduced to.

    Raises:
        ValueError: If the two differ in length.
    """

    def __init__(self, in_channels: Sequence[int],
                 channels: Sequence[int]) -> None:
        super().__init__()
        if len(in_channels) != len(channels):
            raise ValueError(
                'in_channels and channels must name as many levels, got '
                f'{tuple(in_channels)} and {tuple(channels)}')
        self.convs = nn.ModuleList(
            nn.Conv2d(width, reduced, 1, bias=False)
            for width, reduced in zip(in_channels, channels, strict=True))

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        """Join features.

        Args:
            features (Sequence[Tensor]): Of each level, (N, C_l, h_l, w_l).

        Returns:
            Tensor: Of shape (N, D, h, w), the size of the last level; D is the
            sum of ``channels``.
        """
        size = features[-1].shape[2:]
        levels = []
        for conv, feature in zip(self.convs, features, strict=True):
            level = conv(feature.detach())
            level = level / (level.norm(dim=1, keepdim=True) + EPS)
            levels.append(resize_maps(level, size))
        return torch.cat(levels, dim=1)

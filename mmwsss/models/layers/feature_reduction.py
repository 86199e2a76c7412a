# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from mmwsss.structures import resize_maps


class FeatureReduction(nn.Module):
    """Brings a feature of the backbone to few channels and a given size.

    1x1 convolution without bias, group normalisation, bilinear resizing
    (align_corners False) and ReLU, in this order: IRN's code resizes before it
    cuts negative values off.

    Args:
        in_channels (int): Channels of the feature.
        channels (int): What they are reduced to.
        groups (int): Groups of the normalisation.
    """

    def __init__(self, in_channels: int, channels: int, groups: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, channels, 1, bias=False)
        self.gn = nn.GroupNorm(groups, channels)

    def forward(self, x: Tensor, size: Sequence[int]) -> Tensor:
        """Reduce a feature (N, C, h, w) to (N, channels, h2, w2); size is (h2, w2)."""
        return F.relu(resize_maps(self.gn(self.conv(x)), size))

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from mmseg.models.decode_heads.aspp_head import ASPPModule
from torch import Tensor, nn

from .norm_eval import keep_statistics

ACT_CFG = dict(type='ReLU')


class ASPP(BaseModule):
    """Atrous spatial pyramid pooling with a 1x1 projection.

    Args:
        in_channels (int): Channels of the input.
        channels (int): Channels of each branch and of the output.
        dilations (Sequence[int]): Dilations of the branches; 1 is a 1x1
            convolution. Another branch pools the whole map.
        dropout_ratio (float): Dropout after the projection. Defaults to 0.5.
        norm_eval (bool): Whether normalisation uses its running statistics in
            training too: with those of a new layer, 0 and 1, it only scales
            and shifts. Defaults to False.
        align_corners (bool): How the pooled branch is resized. Defaults to
            True.
        norm_cfg (dict, optional): The normalisation. Defaults to BN.
    """

    def __init__(self,
                 in_channels: int,
                 channels: int,
                 dilations: Sequence[int],
                 dropout_ratio: float = 0.5,
                 norm_eval: bool = False,
                 align_corners: bool = True,
                 norm_cfg: dict | None = dict(type='BN')) -> None:
        super().__init__()
        self.norm_eval = norm_eval
        self.align_corners = align_corners
        self.branches = ASPPModule(
            dilations, in_channels, channels, None, norm_cfg, ACT_CFG)
        self.image_pool = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            ConvModule(in_channels, channels, 1, norm_cfg=norm_cfg))
        self.project = ConvModule(
            (len(dilations) + 1) * channels, channels, 1, norm_cfg=norm_cfg)
        self.dropout = nn.Dropout(dropout_ratio)

    def forward(self, x: Tensor) -> Tensor:
        """Map features (N, in_channels, h, w) to (N, channels, h, w)."""
        pooled = F.interpolate(
            self.image_pool(x), x.shape[2:], mode='bilinear',
            align_corners=self.align_corners)
        x = torch.cat([*self.branches(x), pooled], dim=1)
        return self.dropout(self.project(x))

    def train(self, mode: bool = True) -> 'ASPP':
        """Set the training mode, but keep frozen statistics frozen."""
        super().train(mode)
        if self.norm_eval:
            keep_statistics(self)
        return self

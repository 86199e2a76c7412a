# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from mmcv.cnn import ConvModule
from mmseg.models import ASPPHead
from mmseg.registry import MODELS
from torch import nn


@MODELS.register_module()
class ConcatASPPHead(ASPPHead):
    """The head that WSSS code bases with 448-pixel crops call "DeepLab-v2".

    mmseg's v3 head in all but two points: the concatenated branches are fused
    by a 1x1 (not 3x3) convolution, and single elements (not channels) are
    dropped, twice in a row, before the classifier.

    Args:
        dilations (tuple[int]): Dilation of each branch in feature pixels.
            Defaults to (6, 12, 18, 24).
        dropout_ratio (float): Of each of the two. Defaults to 0.5.
        **kwargs: Arguments of ``ASPPHead`` (``in_channels``, ``channels``,
            ``num_classes``, ``norm_cfg``, ...).
    """

    def __init__(self,
                 dilations: tuple[int, ...] = (6, 12, 18, 24),
                 dropout_ratio: float = 0.5,
                 **kwargs) -> None:
        kwargs.setdefault('init_cfg', dict(type='Kaiming', layer='Conv2d'))
        super().__init__(
            dilations=dilations, dropout_ratio=dropout_ratio, **kwargs)
        self.bottleneck = ConvModule(
            (len(dilations) + 1) * self.channels,
            self.channels,
            1,
            conv_cfg=self.conv_cfg,
            norm_cfg=self.norm_cfg,
            act_cfg=self.act_cfg)
        self.dropout = nn.Sequential(
            nn.Dropout(dropout_ratio), nn.Dropout(dropout_ratio))

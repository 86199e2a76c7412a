# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from mmseg.models.decode_heads import FCNHead
from mmseg.registry import MODELS
from torch import nn


@MODELS.register_module()
class DilatedPairHead(FCNHead):
    """The segmentation head of MCTformer's DeepLab v1: two dilated convolutions.

    3x3, ReLU, and again 3x3, which classifies; no normalisation, no dropout. (Other
    heads of DeepLab v1 classify by 1x1: :class:`LargeFOVHead`.)

    Args:
        dilation (int): Of both. Defaults to 12.
        **kwargs: Arguments of ``BaseDecodeHead`` (``in_channels``, ``channels``,
            ``num_classes``, ...).
    """

    def __init__(self, dilation: int = 12, **kwargs) -> None:
        kwargs.setdefault(
            'init_cfg', dict(type='Xavier', layer='Conv2d', distribution='uniform'))
        super().__init__(
            num_convs=1,
            dilation=dilation,
            concat_input=False,
            dropout_ratio=0.,
            **kwargs)
        self.conv_seg = nn.Conv2d(
            self.channels, self.out_channels, 3, padding=dilation, dilation=dilation)

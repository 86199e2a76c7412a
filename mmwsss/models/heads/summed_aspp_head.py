# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class SummedASPPHead(BaseDecodeHead):
    """The DeepLab-v2 head: parallel dilated classifiers whose logits add up.

    Each branch is one 3x3 convolution from features straight to classes, with
    bias and without normalisation; there is no hidden layer. (mmseg's
    ``ASPPHead`` is that of v3: hidden branches, concatenated.)

    Paper: `DeepLab: Semantic Image Segmentation with Deep Convolutional Nets,
    Atrous Convolution, and Fully Connected CRFs
    <https://arxiv.org/abs/1606.00915>`_, Fig. 7 (b).

    Args:
        in_channels (int): Channels of the feature map.
        num_classes (int): Classes, background included.
        dilations (tuple[int]): Dilation of each branch in feature pixels.
            Defaults to (6, 12, 18, 24).
        **kwargs: Further arguments of ``BaseDecodeHead``.

    Example:
        >>> import torch
        >>> from mmwsss.models.heads import SummedASPPHead
        >>> head = SummedASPPHead(in_channels=8, num_classes=3)
        >>> head([torch.rand(1, 8, 9, 9)]).shape
        torch.Size([1, 3, 9, 9])
    """

    def __init__(self,
                 in_channels: int,
                 num_classes: int,
                 dilations: tuple[int, ...] = (6, 12, 18, 24),
                 **kwargs) -> None:
        kwargs.setdefault('init_cfg', dict(type='Normal', layer='Conv2d', std=0.01))
        super().__init__(
            in_channels,
            channels=num_classes,
            num_classes=num_classes,
            dropout_ratio=0.,
            **kwargs)
        del self.conv_seg
        self.convs = nn.ModuleList(
            nn.Conv2d(
                in_channels, self.out_channels, 3, padding=rate, dilation=rate)
            for rate in dilations)

    def forward(self, inputs: tuple[Tensor, ...]) -> Tensor:
        """Compute class logits.

        Args:
            inputs (tuple[Tensor]): Feature maps; ``in_index`` picks the one of
                shape (N, in_channels, h, w).

        Returns:
            Tensor: Logits of shape (N, num_classes, h, w).
        """
        x = self._transform_inputs(inputs)
        return sum(conv(x) for conv in self.convs)

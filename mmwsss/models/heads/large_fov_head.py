# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from mmcv.cnn import ConvModule
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class LargeFOVHead(BaseDecodeHead):
    """The DeepLab-v1 head: one strongly dilated 3x3 convolution sees far.

    3x3 (dilated) -> 1x1 -> classifier, each convolution followed by the
    normalisation (if any) and ReLU, with dropout of single elements before the
    classifier.

    Paper: `Semantic Image Segmentation with Deep Convolutional Nets and Fully
    Connected CRFs <https://arxiv.org/abs/1412.7062>`_. With 512 channels and
    batch normalisation it is the head that SEAM and its successors train.

    Args:
        dilation (int): Dilation of the 3x3 convolution in feature pixels.
            Defaults to 12.
        dropout_ratio (float): Defaults to 0.5.
        dropout_between (bool): Whether dropout also follows the 3x3
            convolution, as in the VGG-16 original. Defaults to False.
        **kwargs: Arguments of ``BaseDecodeHead`` (``in_channels``,
            ``channels``, ``num_classes``, ...).

    Example:
        >>> import torch
        >>> from mmwsss.models.heads import LargeFOVHead
        >>> head = LargeFOVHead(in_channels=8, channels=4, num_classes=3)
        >>> head([torch.rand(1, 8, 9, 9)]).shape
        torch.Size([1, 3, 9, 9])
    """

    def __init__(self,
                 dilation: int = 12,
                 dropout_ratio: float = 0.5,
                 dropout_between: bool = False,
                 **kwargs) -> None:
        kwargs.setdefault('init_cfg', dict(type='Kaiming', layer='Conv2d'))
        super().__init__(dropout_ratio=dropout_ratio, **kwargs)
        layer_cfg = dict(
            conv_cfg=self.conv_cfg, norm_cfg=self.norm_cfg, act_cfg=self.act_cfg)
        self.fov = ConvModule(
            self.in_channels,
            self.channels,
            3,
            padding=dilation,
            dilation=dilation,
            **layer_cfg)
        self.fc = ConvModule(self.channels, self.channels, 1, **layer_cfg)
        # BaseDecodeHead drops whole channels; DeepLab drops single elements.
        self.dropout = nn.Dropout(dropout_ratio)
        self.dropout_between = dropout_between

    def forward(self, inputs: tuple[Tensor, ...]) -> Tensor:
        """Compute class logits.

        Args:
            inputs (tuple[Tensor]): Feature maps; ``in_index`` picks the one of
                shape (N, in_channels, h, w).

        Returns:
            Tensor: Logits of shape (N, num_classes, h, w).
        """
        x = self.fov(self._transform_inputs(inputs))
        if self.dropout_between:
            x = self.dropout(x)
        return self.cls_seg(self.fc(x))

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from mmseg.models import ResNet
from mmseg.registry import MODELS


@MODELS.register_module()
class CaffeResNet(ResNet):
    """The dilated ResNet of the Caffe DeepLab-v2 release.

    It differs from mmseg's ``ResNet`` in two points: the stride of a stage sits
    on its first 1x1 convolution, and the pool after the stem rounds up, so that
    an even input keeps its last row and column (a stem of 80 pixels gives 41,
    not 40). With the defaults the output stride is 8 and every block of the
    last two stages is dilated. It wants BGR images in [0, 255] less the mean
    (104.008, 116.669, 122.675); frozen statistics belong to it.

    Paper: `DeepLab: Semantic Image Segmentation with Deep Convolutional Nets,
    Atrous Convolution, and Fully Connected CRFs
    <https://arxiv.org/abs/1606.00915>`_.

    Args:
        strides (tuple[int]): Stride of each stage. Defaults to (1, 2, 1, 1).
        dilations (tuple[int]): Dilation of each stage. Defaults to
            (1, 1, 2, 4).
        norm_cfg (dict): Defaults to batch normalisation whose weights do not
            learn.
        norm_eval (bool): Whether running statistics stay fixed. Defaults to
            True.
        **kwargs: Further arguments of ``mmseg.models.ResNet`` (``depth``,
            ``init_cfg``, ...).

    Example:
        >>> import torch
        >>> from mmwsss.models.backbones import CaffeResNet
        >>> backbone = CaffeResNet(depth=50)
        >>> backbone(torch.rand(1, 3, 160, 160))[-1].shape
        torch.Size([1, 2048, 21, 21])
    """

    def __init__(self,
                 strides: tuple[int, ...] = (1, 2, 1, 1),
                 dilations: tuple[int, ...] = (1, 1, 2, 4),
                 norm_cfg: dict | None = None,
                 norm_eval: bool = True,
                 **kwargs) -> None:
        super().__init__(
            strides=strides,
            dilations=dilations,
            style='caffe',
            norm_cfg=norm_cfg or dict(type='BN', requires_grad=False),
            norm_eval=norm_eval,
            **kwargs)
        self.maxpool.ceil_mode = True

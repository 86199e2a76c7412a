# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from mmcv.cnn import VGG
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import nn


@MODELS.register_module()
class VGG16LargeFOV(VGG, BaseModule):
    """The VGG-16 trunk of DeepLab-LargeFOV, output stride 8.

    All pools are 3x3; those after the fourth and fifth stage keep the size,
    the convolutions of the fifth stage are dilated by two, and a 3x3 average
    pool comes last. Parameter names are torchvision's (``features.N``), so
    ``torchvision://vgg16`` and ``open-mmlab://vgg16_caffe`` load.

    Paper: `Semantic Image Segmentation with Deep Convolutional Nets and Fully
    Connected CRFs <https://arxiv.org/abs/1412.7062>`_.

    Args:
        init_cfg (dict, optional): Initialisation. Defaults to He.

    Example:
        >>> import torch
        >>> from mmwsss.models.backbones import VGG16LargeFOV
        >>> VGG16LargeFOV()(torch.rand(1, 3, 65, 65))[-1].shape
        torch.Size([1, 512, 9, 9])
    """

    def __init__(self, init_cfg: dict | None = None) -> None:
        super().__init__(
            depth=16, dilations=(1, 1, 1, 1, 2), out_indices=(3, 4))
        self.init_cfg = init_cfg or dict(type='Kaiming', layer='Conv2d')
        for stage, (_, end) in enumerate(self.range_sub_modules):
            self.features[end - 1] = nn.MaxPool2d(
                3, stride=2 if stage < 3 else 1, padding=1, ceil_mode=True)
        self.features.append(nn.AvgPool2d(3, stride=1, padding=1))
        self.range_sub_modules[-1][1] += 1

    def init_weights(self) -> None:
        """Initialise by ``init_cfg`` (mmcv's VGG predates it)."""
        BaseModule.init_weights(self)

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from collections.abc import Sequence

from mmcv.cnn import VGG
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class VGG16FC7(VGG, BaseModule):
    """VGG-16 with the fully connected layers of DeepLab, output stride 8.

    All pools are 3x3, the fourth keeps the size, the convolutions of the fifth
    stage are dilated by two; ``fc6`` (3x3) and ``fc7`` (1x1), 1024 channels
    each, follow it without a pool. This is the VGG of PSA (CVPR 2018) and of
    1-stage-wseg (CVPR 2020). 20,483,904 parameters.

    Its outputs by index, each after its ReLU, as those of
    :class:`WideResNet38`:

    - 0: ``conv3_3``, 256 channels at stride 4;
    - 1: ``conv4_3``, 512 channels at stride 8;
    - 2: ``conv5_3``, 512 channels;
    - 3: ``fc7``, 1024 channels.

    Names of the convolutions are torchvision's (``features.N``), so
    ``torchvision://vgg16`` and ``open-mmlab://vgg16_caffe`` load into them;
    tools/model_converters/psa2mmwsss.py converts weights that have fc6 and
    fc7.

    Args:
        out_indices (Sequence[int]): The outputs. Defaults to (0, 1, 2, 3).
        frozen_stages (int): How many of the five stages do not learn: 1 in
            1-stage-wseg, 2 in PSA. Defaults to 2.
        fc6_dilation (int): Dilation of ``fc6``, 4 in PSA's affinity network.
            Defaults to 1.
        dropout_ratio (float): Channel dropout between ``fc6`` and ``fc7``.
            Defaults to 0.5.
        init_cfg (dict | list[dict], optional): Initialisation. Defaults to He.

    Raises:
        ValueError: If an output or stage does not exist.

    Example:
        >>> import torch
        >>> from mmwsss.models.backbones import VGG16FC7
        >>> [tuple(x.shape) for x in VGG16FC7()(torch.rand(1, 3, 33, 33))]
        [(1, 256, 9, 9), (1, 512, 5, 5), (1, 512, 5, 5), (1, 1024, 5, 5)]
    """

    def __init__(self,
                 out_indices: Sequence[int] = (0, 1, 2, 3),
                 frozen_stages: int = 2,
                 fc6_dilation: int = 1,
                 dropout_ratio: float = 0.5,
                 init_cfg: dict | list[dict] | None = None) -> None:
        if not set(out_indices) <= {0, 1, 2, 3}:
            raise ValueError(
                f'out_indices must be within 0 to 3, got {tuple(out_indices)}')
        if not 0 <= frozen_stages <= 5:
            raise ValueError(
                f'frozen_stages must be within 0 to 5, got {frozen_stages}')
        super().__init__(
            depth=16,
            dilations=(1, 1, 1, 1, 2),
            out_indices=tuple(out_indices),
            frozen_stages=frozen_stages,
            with_last_pool=False)
        self.init_cfg = init_cfg or dict(type='Kaiming', layer='Conv2d')
        for stage, (_, end) in enumerate(self.range_sub_modules[:4]):
            self.features[end - 1] = nn.MaxPool2d(
                3, stride=2 if stage < 3 else 1, padding=1)
        self.fc6 = nn.Conv2d(
            512, 1024, 3, padding=fc6_dilation, dilation=fc6_dilation)
        self.fc7 = nn.Conv2d(1024, 1024, 1)
        self.relu = nn.ReLU(inplace=True)
        self.dropout = nn.Dropout2d(dropout_ratio)
        for start, end in self.range_sub_modules[:frozen_stages]:
            self.features[start:end].requires_grad_(False)

    def init_weights(self) -> None:
        """Initialise by ``init_cfg`` (mmcv's VGG predates it)."""
        BaseModule.init_weights(self)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Compute the features.

        Args:
            x (Tensor): Normalised images of shape (N, 3, H, W).

        Returns:
            tuple[Tensor]: The outputs of ``out_indices``.
        """
        outputs = []
        for stage, (start, end) in enumerate(self.range_sub_modules):
            has_pool = stage < 4
            x = self.features[start:end - has_pool](x)
            if stage >= 2:
                outputs.append(x)
            if has_pool:
                x = self.features[end - 1](x)
        x = self.dropout(self.relu(self.fc6(x)))
        outputs.append(self.relu(self.fc7(x)))
        return tuple(outputs[i] for i in self.out_indices)

    def train(self, mode: bool = True) -> 'VGG16FC7':
        """Set the training mode (mmcv's VGG returns nothing)."""
        super().train(mode)
        return self

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from mmseg.models import ResNet
from mmseg.registry import MODELS
from torch import Tensor


@MODELS.register_module()
class StemResNet(ResNet):
    """A ResNet that also returns what leaves its stem.

    Output 0 is the map behind the max pool (64 channels at stride 4 by
    default), the stages asked for follow; ``out_indices`` counts the stages, as
    in ``mmseg.models.ResNet``, whose arguments and weights these are. Boundary
    heads read all five (`IRN <https://arxiv.org/abs/1904.05044>`_).

    Example:
        >>> import torch
        >>> from mmwsss.models.backbones import StemResNet
        >>> backbone = StemResNet(depth=50, strides=(1, 2, 2, 1),
        ...                          dilations=(1, 1, 1, 1))
        >>> [tuple(one.shape[1:]) for one in backbone(torch.rand(1, 3, 64, 64))]
        [(64, 16, 16), (256, 16, 16), (512, 8, 8), (1024, 4, 4), (2048, 4, 4)]
    """

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Features (N, C_i, h_i, w_i) of the stem and the stages asked for."""
        x = self.stem(x) if self.deep_stem else self.relu(
            self.norm1(self.conv1(x)))
        x = self.maxpool(x)
        outputs = [x]
        for i, name in enumerate(self.res_layers):
            x = getattr(self, name)(x)
            if i in self.out_indices:
                outputs.append(x)
        return tuple(outputs)

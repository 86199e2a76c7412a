# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from collections.abc import Sequence

import torch
from mmseg.registry import MODELS
from torch import Tensor, nn

from mmwsss.utils.renamed import renamed_arguments

from ..layers import FeatureReduction
from .pixel_pair_head import PixelPairHead


@MODELS.register_module()
class ContourHead(PixelPairHead):
    """Class boundaries from several features of a backbone.

    Each feature is reduced, brought to the size of one of them (stride 4), and all
    are joined to one logit a pixel: does a boundary between classes run here?
    It learns from pairs of pixels and is never shown a boundary: somewhere
    between two pixels of different labels there is one, between two of the same
    label there is none. `Weakly Supervised Learning of Instance Segmentation
    with Inter-pixel Relations <https://arxiv.org/abs/1904.05044>`_ (IRN, Ahn et
    al., CVPR 2019).

    Args:
        in_channels (Sequence[int]): Channels of the features: behind the stem's
            max pool and of the four stages, in a ResNet
            (:class:`StemResNet`).
        reduced_channels (int): What each feature is reduced to. Defaults to 32.
        groups (int): Groups of the normalisation. Defaults to 4.
        loss_decode (dict): Loss of boundary logits (N, 1, h, w) and label maps
            (N, h, w). Defaults to :class:`PathAffinityLoss`.
        **kwargs: Arguments of :class:`PixelPairHead`.
    """

    @renamed_arguments(tap_channels='reduced_channels')
    def __init__(self,
                 in_channels: Sequence[int],
                 reduced_channels: int = 32,
                 groups: int = 4,
                 loss_decode: dict = dict(type='PathAffinityLoss'),
                 **kwargs) -> None:
        super().__init__(in_channels, loss_decode=loss_decode, **kwargs)
        self.reduce = nn.ModuleList(
            FeatureReduction(width, reduced_channels, groups) for width in in_channels)
        self.fuse = nn.Conv2d(len(in_channels) * reduced_channels, 1, 1)

    def forward(self, inputs: tuple[Tensor, ...]) -> Tensor:
        """Boundary logits.

        Args:
            inputs (tuple[Tensor]): Multi-level features of the backbone.

        Returns:
            Tensor: Of shape (N, 1, h, w), the size of the feature ``size_index``.
        """
        features = self.select_inputs(inputs)
        size = features[self.size_index].shape[2:]
        return self.fuse(
            torch.cat([
                reduce(feature, size)
                for reduce, feature in zip(self.reduce, features, strict=True)
            ], dim=1))

    def merge_guides(self, guides: list[Tensor]) -> Tensor:
        """Boundary probabilities of an image from several views.

        Args:
            guides (list[Tensor]): Logits of shape (1, 1, h, w) each, turned
                back where the view was flipped.

        Returns:
            Tensor: The sigmoid of their mean, of shape (1, 1, h, w).
        """
        return torch.stack(guides).mean(dim=0).sigmoid()

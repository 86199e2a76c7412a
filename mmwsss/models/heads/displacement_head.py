# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from collections.abc import Sequence

import torch
from mmseg.registry import MODELS
from torch import Tensor, nn

from mmwsss.utils.renamed import renamed_arguments

from ..layers import FeatureReduction
from .pixel_pair_head import PixelPairHead


@MODELS.register_module()
class DisplacementHead(PixelPairHead):
    """Displacement of each pixel from the centroid of its instance.

    Pairs of pixels of one class near each other are taken for one instance:
    both should point at the same place. Like any field it is known but for a
    constant; the mean over many images, which :class:`MeanShiftHook` stores when
    training ends, is subtracted in evaluation. Only instance labels need it.
    `IRN <https://arxiv.org/abs/1904.05044>`_ (Ahn et al., CVPR 2019).

    Features deeper than ``size_index`` are joined at the size of the first of them,
    and the outcome is joined with the others.

    Args:
        in_channels (Sequence[int]): Channels of the features.
        reduced_channels (Sequence[int]): What each feature is reduced to. Defaults to
            (64, 128, 256, 256, 256).
        groups (Sequence[int]): Groups of the normalisation of each. Defaults
            to (8, 16, 16, 16, 16).
        fused_channels (int): Channels of the two joints. Defaults to 256.
        loss_decode (dict): Loss of displacements (N, 2, h, w) and label maps
            (N, h, w). Defaults to :class:`DisplacementLoss`.
        **kwargs: Arguments of :class:`PixelPairHead`.

    Raises:
        ValueError: If the numbers of features differ or none is deep.
    """

    @renamed_arguments(tap_channels='reduced_channels')
    def __init__(self,
                 in_channels: Sequence[int],
                 reduced_channels: Sequence[int] = (64, 128, 256, 256, 256),
                 groups: Sequence[int] = (8, 16, 16, 16, 16),
                 fused_channels: int = 256,
                 loss_decode: dict = dict(type='DisplacementLoss'),
                 **kwargs) -> None:
        super().__init__(in_channels, loss_decode=loss_decode, **kwargs)
        if not len(in_channels) == len(reduced_channels) == len(groups):
            raise ValueError(
                'in_channels, reduced_channels and groups must be of one length, got '
                f'{tuple(in_channels)}, {tuple(reduced_channels)} and '
                f'{tuple(groups)}')
        self.num_shallow = self.size_index + 1
        if self.num_shallow == len(in_channels):
            raise ValueError(f'no feature is deeper than size_index={self.size_index}')
        self.reduce = nn.ModuleList(
            FeatureReduction(*sizes)
            for sizes in zip(in_channels, reduced_channels, groups, strict=True))
        self.join = FeatureReduction(
            sum(reduced_channels[self.num_shallow:]), fused_channels, groups[-1])
        self.fuse = FeatureReduction(
            sum(reduced_channels[:self.num_shallow]) + fused_channels,
            fused_channels, groups[-1])
        self.field = nn.Conv2d(fused_channels, 2, 1, bias=False)
        self.register_buffer('running_mean', torch.zeros(2))

    def forward(self, inputs: tuple[Tensor, ...]) -> Tensor:
        """The displacement field.

        Args:
            inputs (tuple[Tensor]): Multi-level features of the backbone.

        Returns:
            Tensor: (dy, dx) in pixels of the field, of shape (N, 2, h, w), the
            size of the feature ``size_index``; in evaluation less its mean.
        """
        features = self.select_inputs(inputs)
        size = features[self.size_index].shape[2:]
        deep_size = features[self.num_shallow].shape[2:]
        reduced = [
            reduce(feature, size if i < self.num_shallow else deep_size)
            for i, (reduce, feature) in enumerate(
                zip(self.reduce, features, strict=True))
        ]
        deep = self.join(torch.cat(reduced[self.num_shallow:], dim=1), size)
        field = self.field(
            self.fuse(
                torch.cat([*reduced[:self.num_shallow], deep], dim=1), size))
        if self.training:
            return field
        return field - self.running_mean.view(1, 2, 1, 1)

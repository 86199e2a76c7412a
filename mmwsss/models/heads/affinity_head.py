# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from collections import OrderedDict
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmseg.models.utils import resize
from mmseg.registry import MODELS
from torch import Tensor, nn

from .pixel_pair_head import PixelPairHead


def pool_affinity_label(label: Tensor, stride: int, num_classes: int) -> Tensor:
    """Let the pixels of each cell vote for its label.

    PSA pools the probabilities of its two refined maps over cells before it
    takes their strongest classes. Here the strongest classes vote. Undecided
    pixels are background in the map of the low power and foreground in that of
    the high one; a cell is of a class, if that has the most votes in the first,
    background, if background has the most in the second, and undecided
    otherwise. Ties fall to background, as in an arg-max.

    Args:
        label (Tensor): Class ids of shape (N, H, W), 255 is undecided.
        stride (int): Side of a cell; it divides H and W.
        num_classes (int): All classes, background included.

    Returns:
        Tensor: Class ids of shape (N, H / stride, W / stride).
    """
    undecided = (label == 255)[:, None]
    classes = torch.arange(num_classes, device=label.device)[:, None, None]
    votes = F.avg_pool2d((label[:, None] == classes).float(), stride)
    undecided = F.avg_pool2d(undecided.float(), stride)[:, 0]
    background, (strongest, best) = votes[:, 0], votes[:, 1:].max(dim=1)
    pooled = torch.where(strongest > background + undecided, best + 1, 255)
    pooled[background >= strongest + undecided] = 0
    return pooled


@MODELS.register_module()
class AffinityHead(PixelPairHead):
    """Features whose distance tells whether two pixels belong together.

    Three features of the backbone are reduced, put side by side and mixed; the
    affinity of two near pixels is ``exp(-mean |f_i - f_j|)``. It learns from
    pairs of confident labels (:class:`PSALabel`) and then guides a random walk
    (:class:`AffinityWalk`) that spreads class scores. AffinityNet of PSA
    (`Learning Pixel-level Semantic Affinity with Image-level Supervision for
    Weakly Supervised Semantic Segmentation
    <https://arxiv.org/abs/1803.10464>`_).

    Args:
        in_channels (Sequence[int]): Channels of the features.
        num_classes (int): All classes, background included.
        in_index (Sequence[int]): Which of the backbone's outputs they are. Features
            of a larger stride are resized to the first one's. Defaults to
            (1, 2, 3).
        reduced_channels (Sequence[int]): What each feature is reduced to. Defaults
            to (64, 128, 256).
        group_width (int, optional): Channels of a group of the normalisation
            behind each reduction, 8 on VGG-16; None for no normalisation.
            Defaults to None.
        loss_decode (dict): Loss of (features, labels). Defaults to
            :class:`FeatureAffinityLoss`.
        init_cfg (dict | list[dict], optional): Initialisation. Defaults to He
            for the reductions and Xavier with gain 4 for the last convolution.
        **kwargs: Further arguments of :class:`PixelPairHead`.

    Raises:
        ValueError: If the numbers of features and reductions differ.
    """

    def __init__(self,
                 in_channels: Sequence[int],
                 num_classes: int,
                 in_index: Sequence[int] = (1, 2, 3),
                 reduced_channels: Sequence[int] = (64, 128, 256),
                 group_width: int | None = None,
                 loss_decode: dict = dict(type='FeatureAffinityLoss'),
                 init_cfg: dict | list[dict] | None = None,
                 **kwargs) -> None:
        if len(in_channels) != len(reduced_channels):
            raise ValueError(
                'in_channels and reduced_channels must be of one length, got '
                f'{tuple(in_channels)} and {tuple(reduced_channels)}')
        channels = sum(reduced_channels)
        super().__init__(
            in_channels,
            num_classes,
            in_index,
            size_index=0,
            detach_inputs=False,
            channels=channels,
            loss_decode=loss_decode,
            init_cfg=init_cfg or dict(
                type='Kaiming',
                layer='Conv2d',
                mode='fan_in',
                override=dict(
                    type='Xavier', name='fuse', gain=4, distribution='uniform')),
            **kwargs)
        self.reduce = nn.ModuleList()
        for width, reduced in zip(in_channels, reduced_channels, strict=True):
            layers: OrderedDict[str, nn.Module] = OrderedDict(
                conv=nn.Conv2d(width, reduced, 1, bias=False))
            if group_width is not None:
                layers['gn'] = nn.GroupNorm(reduced // group_width, reduced)
            self.reduce.append(nn.Sequential(layers))
        self.fuse = nn.Conv2d(channels, channels, 1, bias=False)

    def forward(self, inputs: tuple[Tensor, ...]) -> Tensor:
        """Compute the features.

        Args:
            inputs (tuple[Tensor]): Multi-level features of the backbone.

        Returns:
            Tensor: Of shape (N, G, h, w), (h, w) is the size of the first feature.
        """
        features = [
            reduce(feature) for reduce, feature in zip(
                self.reduce, self.select_inputs(inputs), strict=True)
        ]
        size = features[self.size_index].shape[2:]
        features = [
            F.elu(
                resize(
                    feature,
                    size=size,
                    mode='bilinear',
                    align_corners=self.align_corners)) for feature in features
        ]
        return F.elu(self.fuse(torch.cat(features, dim=1)))

    def merge_guides(self, guides: list[Tensor]) -> Tensor:
        """Merge the features of several views of an image.

        Args:
            guides (list[Tensor]): Of shape (1, G, h, w) each, turned back where
                the view was flipped.

        Returns:
            Tensor: Their mean, of shape (1, G, h, w).
        """
        return torch.stack(guides).mean(dim=0)

    def reduce_label(self, label: Tensor, size: Sequence[int]) -> Tensor:
        """Let pixels vote; see :func:`pool_affinity_label`.

        Raises:
            ValueError: If the labels' size is no multiple of the features'.
        """
        stride = label.shape[1] // size[0]
        cells = tuple(side * stride for side in size)
        if cells != tuple(label.shape[1:]):
            raise ValueError(
                f'the features have {tuple(size)} cells; a crop of '
                f'{tuple(label.shape[1:])} does not divide into them')
        return pool_affinity_label(label, stride, self.num_classes)

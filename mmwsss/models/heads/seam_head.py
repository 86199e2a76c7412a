# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from collections.abc import Sequence

import torch
from mmseg.registry import MODELS
from torch import Tensor, nn

from mmwsss.ops import min_max_norm
from mmwsss.structures import ClassMaps, resize_maps

from .cam_head import CAMHead

EPS = 1e-5


def add_background(maps: Tensor) -> Tensor:
    """Prepend ``1 - max`` of foreground maps (N, C - 1, h, w)."""
    return torch.cat([1 - maps.amax(dim=1, keepdim=True), maps], dim=1)


def keep_strongest(maps: Tensor) -> Tensor:
    """Zero all but the strongest foreground class of each pixel.

    Args:
        maps (Tensor): Of shape (N, C, h, w), background first.
    """
    foreground = maps[:, 1:]
    strongest = foreground == foreground.amax(dim=1, keepdim=True)
    return torch.cat([maps[:, :1], foreground * strongest], dim=1)


def upsample(maps: Tensor, size: Sequence[int]) -> Tensor:
    """Resize as SEAM does everywhere (bilinear, corners aligned)."""
    return resize_maps(maps, size, align_corners=True)


@MODELS.register_module()
class SEAMHead(CAMHead):
    r"""Class maps that a pixel correlation module revises.

    The classifier's maps are normalised, get a background ``1 - max`` and lose
    all but each pixel's strongest class. Every pixel then takes the mean of them
    over the image, weighted by the cosine similarity (where positive) of an
    embedding of shallow features and the image itself. Only the embedding learns
    from the revised maps, and seeds are made of them. The losses ask two views
    of an image, of different size, for the same maps. Self-supervised Equivariant
    Attention Mechanism for Weakly Supervised Semantic Segmentation (`SEAM
    <https://arxiv.org/abs/2004.04581>`_, CVPR 2020).

    The pixel correlation module (Sec. 3.3), which makes revised maps y of maps
    :math:`\hat y`, with the embedding :math:`\theta` of pixel i:

    .. math::
        y_i = \frac {\sum_j \operatorname{ReLU}(f(x_i, x_j))\, \hat y_j}
        {\sum_j \operatorname{ReLU}(f(x_i, x_j))}, \quad
        f(x_i, x_j) = \frac {\theta(x_i)^T \theta(x_j)}
        {\|\theta(x_i)\| \, \|\theta(x_j)\|}

    The losses (Sec. 3.4), with the resizing A of the original view o to the size of
    the transformed one, t:

    .. math::
        \mathcal L_{ER} = \| A(\hat y^o) - \hat y^t \|_1, \quad
        \mathcal L_{ECR} = \| A(y^o) - \hat y^t \|_1 +
        \| A(\hat y^o) - y^t \|_1

        \mathcal L = \mathcal L_{cls} + \mathcal L_{ER} + \mathcal L_{ECR}

    The norms are means, that of the cross regularisation over the largest
    differences only. Its maps :math:`\hat y` are constants with a background and each
    pixel's strongest class, and the code adds a fourth loss, ``loss_rvmin``. With
    ``full_size`` the losses, that of classification too, read maps that were resized
    to the image, as the code does; the logits of :class:`ClassMaps` are those of maps
    as they come, which differ a little.

    Args:
        in_channels (Sequence[int]): Channels of two shallow features and of the
            deep one.
        num_classes (int): All classes, background included.
        in_index (Sequence[int]): Which of the backbone's outputs they are.
            Defaults to (1, 2, 3).
        reduced_channels (Sequence[int]): What the shallow features are reduced to.
            Defaults to (64, 128).
        er_weight (float): Factor of the equivariant regularisation between the
            views' class maps. Defaults to 1.
        ecr_weight (float): Factor of the equivariant cross regularisation
            between one view's revised maps and the other's class maps. Defaults
            to 1.
        rvmin_weight (float): Factor of the mean of the least quarter of the
            revised maps, which the code adds to the paper. Defaults to 1.
        hard_ratio (float): The share of the largest differences that the cross
            regularisation averages. Defaults to 0.2.
        full_size (bool): Whether classification, minimum and normalisation look
            at maps at the size of the input, as SEAM's code does; otherwise at
            their own size. Defaults to True.
        dropout_ratio (float): Channel dropout before the classifier. Defaults
            to 0.5.
        init_cfg (dict | list[dict], optional): Initialisation. Defaults to He
            for the reductions and Xavier for the rest, the embedding with gain
            4.
        **kwargs: Further arguments of :class:`CAMHead`.
    """

    needs_images = True

    def __init__(self,
                 in_channels: Sequence[int],
                 num_classes: int,
                 in_index: Sequence[int] = (1, 2, 3),
                 reduced_channels: Sequence[int] = (64, 128),
                 er_weight: float = 1.,
                 ecr_weight: float = 1.,
                 rvmin_weight: float = 1.,
                 hard_ratio: float = 0.2,
                 full_size: bool = True,
                 dropout_ratio: float = 0.5,
                 init_cfg: dict | list[dict] | None = None,
                 **kwargs) -> None:
        if not len(in_channels) == len(in_index) == len(reduced_channels) + 1:
            raise ValueError(
                'in_channels and in_index must name one feature more than '
                f'reduced_channels, got {tuple(in_channels)}, {tuple(in_index)} '
                f'and {tuple(reduced_channels)}')
        xavier = dict(type='Xavier', distribution='uniform')
        super().__init__(
            list(in_channels),
            num_classes,
            channels=in_channels[-1],
            in_index=list(in_index),
            input_transform='multiple_select',
            dropout_ratio=dropout_ratio,
            init_cfg=init_cfg or dict(
                type='Kaiming',
                layer='Conv2d',
                mode='fan_in',
                override=[
                    dict(xavier, name='classifier'),
                    dict(xavier, name='embed', gain=4)
                ]),
            **kwargs)
        self.reduce = nn.ModuleList(
            nn.Conv2d(width, reduced, 1, bias=False) for width, reduced in zip(
                in_channels[:-1], reduced_channels, strict=True))
        channels = sum(reduced_channels)
        self.embed = nn.Conv2d(channels + 3, channels, 1, bias=False)
        self.er_weight = er_weight
        self.ecr_weight = ecr_weight
        self.rvmin_weight = rvmin_weight
        self.hard_ratio = hard_ratio
        self.full_size = full_size

    def forward(self,
                inputs: tuple[Tensor, ...],
                images: Tensor | None = None) -> ClassMaps:
        """Score every pixel and the whole image.

        Args:
            inputs (tuple[Tensor]): Multi-level features of the backbone.
            images (Tensor): The images of shape (N, 3, H, W).

        Returns:
            ClassMaps: The classifier's maps and their means; for seeds the
            revised maps, and all of these, background first, as ``revised``.

        Raises:
            ValueError: If images are missing.
        """
        if images is None:
            raise ValueError(f'{type(self).__name__} compares pixels of images: '
                             'train with a WeakSegmentor that has a second_view')
        *features, deep = self._transform_inputs(inputs)
        maps = self.classify(deep)
        revised = self.revise(maps, features, images)
        return ClassMaps(
            maps,
            self.pool(maps),
            seed_maps=revised[:, 1:],
            extra=dict(revised=revised, size=images.shape[2:]))

    def revise(self, maps: Tensor, features: Sequence[Tensor],
               images: Tensor) -> Tensor:
        """Let pixels of similar appearance share their classes.

        Only the embedding learns: neither the maps nor the features get a gradient.

        Args:
            maps (Tensor): Raw class maps (N, C - 1, h, w).
            features (Sequence[Tensor]): The shallow features.
            images (Tensor): The images of shape (N, 3, H, W).

        Returns:
            Tensor: Scores in [0, 1] of shape (N, C, h, w), background first.
        """
        size = maps.shape[2:]
        similar = [upsample(images, size)]
        for reduce, feature in zip(self.reduce, features, strict=True):
            similar.append(upsample(reduce(feature.detach()).relu(), size))
        embedding = self.embed(torch.cat(similar, dim=1))
        return self._revise(maps.detach(), embedding)

    @staticmethod
    def _revise(class_maps: Tensor, embedding: Tensor) -> Tensor:
        maps = class_maps.relu()
        peak = maps.amax(dim=(2, 3), keepdim=True)
        maps = keep_strongest(add_background((maps - EPS).relu() / (peak + EPS)))
        embedding = embedding.flatten(2)
        embedding = embedding / (embedding.norm(dim=1, keepdim=True) + EPS)
        similarity = (embedding.transpose(1, 2) @ embedding).relu()
        similarity = similarity / (similarity.sum(dim=1, keepdim=True) + EPS)
        return (maps.flatten(2) @ similarity).unflatten(2, maps.shape[2:])

    def loss_by_feat(self,
                     class_maps: ClassMaps,
                     batch_data_samples: list,
                     second: ClassMaps | None = None) -> dict[str, Tensor]:
        """Compute the losses of two views of the same images.

        Args:
            class_maps (ClassMaps): What :meth:`forward` returned for the larger
                view.
            batch_data_samples (list[:obj:`SegDataSample`]): With ``tags``.
            second (ClassMaps): What it returned for the smaller one.

        Returns:
            dict[str, Tensor]: Losses by name: classification, its minimum,
            ``loss_er`` and ``loss_ecr``.

        Raises:
            ValueError: If there is one view only.
        """
        if second is None:
            raise ValueError(f'{type(self).__name__} compares two views: the '
                             'segmentor needs second_view')
        labels = self.tags(batch_data_samples)
        present = labels[:, :, None, None]
        logits, low, plain, revised = [], [], [], []
        for view in (class_maps, second):
            maps, revised_maps = view.maps, view.extra['revised']
            if self.full_size:
                size = view.extra['size']
                maps = upsample(maps, size)
                revised_maps = upsample(revised_maps, size)
            logits.append(self.pool(maps))
            low.append(_least_quarter(revised_maps[:, 1:] * present))
            plain.append(min_max_norm(maps.relu()))
            revised.append(min_max_norm(revised_maps.relu()))
        # Compared at the size of the smaller view.
        size = plain[1].shape[2:]
        plain = [upsample(maps, size) * present for maps in plain]
        with_background = torch.cat([torch.ones_like(present[:, :1]), present], 1)
        revised = [upsample(maps, size) * with_background for maps in revised]
        targets = [self.cross_target(maps.detach()) for maps in plain]
        loss_cls = sum(self.loss_decode(x, labels) for x in logits) / 2
        return {
            self.loss_decode.loss_name: loss_cls,
            'loss_rvmin': self.rvmin_weight * sum(low) / 2,
            'loss_er': self.er_weight * (plain[0] - plain[1]).abs().mean(),
            'loss_ecr': self.ecr_weight * (
                self._hard_difference(targets[1], revised[0]) +
                self._hard_difference(targets[0], revised[1])),
        }

    def cross_target(self, maps: Tensor) -> Tensor:
        """What the other view's revised maps are to show.

        Args:
            maps (Tensor): One view's stretched maps (N, C - 1, h, w); those of
                absent classes are 0.

        Returns:
            Tensor: Of shape (N, C, h, w), background first; in each pixel the
            strongest foreground class and the background.
        """
        return keep_strongest(add_background(maps))

    def _hard_difference(self, target: Tensor, maps: Tensor) -> Tensor:
        difference = (target - maps).abs().flatten(1)
        count = max(int(difference.shape[1] * self.hard_ratio), 1)
        return difference.topk(count, dim=1)[0].mean()


def _least_quarter(maps: Tensor) -> Tensor:
    """Mean of the lower quarter of the pixels' strongest scores."""
    strongest = maps.amax(dim=1).flatten(1)
    count = max(strongest.shape[1] // 4, 1)
    return strongest.topk(count, dim=1, largest=False)[0].relu().mean()

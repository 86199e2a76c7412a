# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from collections.abc import Sequence
from dataclasses import replace

import torch
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.registry import MODELS
from torch import Tensor

from mmwsss.models.heads import CAMHead
from mmwsss.ops import max_norm
from mmwsss.structures import ClassMaps, LabelGrid

from .hierarchical_feature import HierarchicalFeature
from .prototypes import image_prototypes, image_specific_maps, structure_aware_seeds

SEED_FEATURES = ('deep', 'hierarchical')


@MODELS.register_module()
class SIPEHead(CAMHead):
    """Class maps by prototypes of the image at hand: IS-CAM.

    The classifier's maps, each divided by its maximum, get a background, ``1 -
    max``, and say where each class begins: its structure-aware seed. The mean
    feature of a seed is the class's prototype in this image, the background's
    too, and what is like it in any level of the backbone is the class:
    image-specific class activation maps. A loss asks both kinds of maps to agree.
    `Self-supervised Image-specific Prototype Exploration for Weakly Supervised
    Semantic Segmentation <https://arxiv.org/abs/2203.02909>`_ (SIPE, CVPR 2022).

    Seeds and predictions are IS-CAM with its own background. In training only the
    classes of the image take part; in predictions those that are shown.

    Args:
        in_channels (Sequence[int]): Channels of the features, the deepest, which
            the classifier reads, last.
        num_classes (int): All classes, background included.
        in_index (Sequence[int]): Which of the backbone's outputs they are.
            Defaults to (0, 1, 2, 3).
        side_channels (Sequence[int]): What they are reduced to. Defaults to
            (128, 128, 256, 256).
        background_factor (float): Of the background when seeds are chosen.
            Defaults to 0.5.
        train_seed_features (str): Which features say what looks alike when seeds
            are chosen in training, ``'deep'`` or ``'hierarchical'``. Defaults to
            'deep'.
        test_seed_features (str): The same in predictions. Defaults to
            'hierarchical', as in the published code.
        absent_compete (bool): Whether classes that the image does not have lower
            the background, and in predictions take pixels, as in the published
            code. Defaults to False.
        count_padding (bool): Whether padding is part of what a pixel looks like
            and of the maxima, and IS-CAM is to be 0 there, as in the published
            code. Defaults to False: it takes no part.
        loss_gsc (dict): Defaults to ``dict(type='GSCLoss')``.
        **kwargs: Further arguments of :class:`CAMHead`.

    Raises:
        ValueError: If the sequences differ in length, or features are unknown.
    """

    needs_images = True

    def __init__(self,
                 in_channels: Sequence[int],
                 num_classes: int,
                 in_index: Sequence[int] = (0, 1, 2, 3),
                 side_channels: Sequence[int] = (128, 128, 256, 256),
                 background_factor: float = 0.5,
                 train_seed_features: str = 'deep',
                 test_seed_features: str = 'hierarchical',
                 absent_compete: bool = False,
                 count_padding: bool = False,
                 loss_gsc: dict = dict(type='GSCLoss'),
                 **kwargs) -> None:
        if not len(in_channels) == len(in_index) == len(side_channels):
            raise ValueError(
                'in_channels, in_index and side_channels must name as many '
                f'features, got {tuple(in_channels)}, {tuple(in_index)} and '
                f'{tuple(side_channels)}')
        for name, value in (('train_seed_features', train_seed_features),
                            ('test_seed_features', test_seed_features)):
            if value not in SEED_FEATURES:
                raise ValueError(
                    f'{name} must be one of {SEED_FEATURES}, got {value!r}')
        super().__init__(
            list(in_channels),
            num_classes,
            channels=in_channels[-1],
            in_index=list(in_index),
            input_transform='multiple_select',
            **kwargs)
        self.hierarchy = HierarchicalFeature(in_channels, side_channels)
        self.background_factor = background_factor
        self.train_seed_features = train_seed_features
        self.test_seed_features = test_seed_features
        self.absent_compete = absent_compete
        self.count_padding = count_padding
        self.loss_gsc = MODELS.build(loss_gsc)
        # Its maps have a background of their own.
        self.bg_thr = None

    def forward(self,
                inputs: tuple[Tensor, ...],
                images: Tensor | None = None) -> ClassMaps:
        """Score every pixel and the whole image.

        Args:
            inputs (tuple[Tensor]): Multi-level features of the backbone.
            images (Tensor, optional): The images of shape (N, 3, H, W), without
                which all of a map is taken for image.

        Returns:
            ClassMaps: The classifier's maps and their means; for seeds, in
            evaluation only, IS-CAM of all classes with its background.
        """
        answer = self.answer(inputs, images)
        if self.training:
            # The loss makes IS-CAM of the image's classes.
            return answer
        every = torch.ones_like(answer.logits, dtype=torch.bool)
        specific = self.predicted_maps(answer, every)
        return replace(
            answer, seed_maps=specific[:, 1:], seed_background=specific[:, :1])

    def answer(self,
               inputs: tuple[Tensor, ...],
               images: Tensor | None = None) -> ClassMaps:
        """As :meth:`forward`, before seeds are chosen.

        Args:
            inputs (tuple[Tensor]): As there.
            images (Tensor, optional): As there.

        Returns:
            ClassMaps: The classifier's maps and their means, and what the rest is
            made of: the features ``deep`` (N, D', h, w) and ``hierarchical``
            (N, D, h, w) and the ``size`` of the images, or None.
        """
        features = self._transform_inputs(inputs)
        maps = self.classify(features[-1])
        return ClassMaps(
            maps,
            self.pool(maps),
            extra=dict(
                deep=features[-1],
                hierarchical=self.hierarchy(features),
                size=None if images is None else images.shape[2:]))

    def general_maps(self,
                     maps: Tensor,
                     present: Tensor,
                     valid: Tensor | None = None) -> Tensor:
        """The classifier's maps with a background.

        Args:
            maps (Tensor): Raw class maps (N, C - 1, h, w).
            present (Tensor): Which classes take part, bool of shape (N, C - 1).
            valid (Tensor, optional): Where the image is, bool of shape
                (N, 1, h, w). Defaults to None: everywhere.

        Returns:
            Tensor: In [0, 1], of shape (N, C, h, w), background first; 0 of
            absent classes and where there is no image.
        """
        if maps.dtype != torch.float64:
            maps = maps.float()
        maps = maps.relu()
        if valid is not None and not self.count_padding:
            maps = maps * valid
        maps = max_norm(maps)
        shown = maps * present[:, :, None, None]
        rivals = maps if self.absent_compete else shown
        background = 1 - rivals.amax(dim=1, keepdim=True)
        general = torch.cat([background, shown], dim=1)
        return general if valid is None else general * valid

    def specific_maps(self,
                      class_maps: ClassMaps,
                      general: Tensor,
                      present: Tensor,
                      seed_features: str,
                      valid: Tensor | None = None) -> Tensor:
        """IS-CAM.

        Args:
            class_maps (ClassMaps): What :meth:`answer` returned.
            general (Tensor): What :meth:`general_maps` returned.
            present (Tensor): Which classes take pixels, bool of shape (N, C - 1).
            seed_features (str): ``'deep'`` or ``'hierarchical'``.
            valid (Tensor, optional): As in :meth:`general_maps`.

        Returns:
            Tensor: In [0, 1], of shape (N, C, h, w), background first.
        """
        features = class_maps.extra['hierarchical'].to(general)
        seeds = structure_aware_seeds(
            general, class_maps.extra[seed_features], present,
            None if self.count_padding else valid, self.background_factor)
        if valid is not None:
            seeds = seeds * valid
        return image_specific_maps(image_prototypes(seeds, features), features)

    def predicted_maps(self, class_maps: ClassMaps, shown: Tensor) -> Tensor:
        """IS-CAM for seeds and predictions.

        Args:
            class_maps (ClassMaps): What :meth:`answer` returned.
            shown (Tensor): Which classes are shown, bool of shape (N, C - 1).

        Returns:
            Tensor: In [0, 1], of shape (N, C, h, w), background first; 0 of
            classes that are not shown.
        """
        present = torch.ones_like(shown) if self.absent_compete else shown
        specific = self.specific_maps(
            class_maps, self.general_maps(class_maps.maps, present), present,
            self.test_seed_features)
        foreground = specific[:, 1:] * shown[:, :, None, None]
        return torch.cat([specific[:, :1], foreground], dim=1).clamp(max=1)

    def loss_by_feat(self, class_maps: ClassMaps,
                     batch_data_samples: list) -> dict[str, Tensor]:
        """Compute the losses.

        Args:
            class_maps (ClassMaps): What :meth:`forward` returned.
            batch_data_samples (list[:obj:`SegDataSample`]): With
                ``tags``; ``valid_box`` says where the image is.

        Returns:
            dict[str, Tensor]: That of :class:`CAMHead` and ``loss_gsc``.
        """
        losses = super().loss_by_feat(class_maps, batch_data_samples)
        present = self.tags(batch_data_samples).bool()
        valid = self._valid_cells(class_maps, batch_data_samples)
        general = self.general_maps(class_maps.maps, present, valid)
        specific = self.specific_maps(
            class_maps, general, present, self.train_seed_features, valid)
        losses['loss_gsc'] = self.loss_gsc(
            general, specific, None if self.count_padding else valid)
        return losses

    def predict_by_feat(self, class_maps: ClassMaps,
                        batch_img_metas: list[dict]) -> Tensor:
        """Class scores at the size of the input.

        Args:
            class_maps (ClassMaps): What :meth:`forward` returned.
            batch_img_metas (list[dict]): Meta information of the images.

        Returns:
            Tensor: Scores of shape (N, C, H, W): IS-CAM of the background and the
            shown classes, each divided by its maximum.
        """
        shown = self.shown_classes(class_maps, batch_img_metas)
        specific = self.predicted_maps(class_maps, shown)
        return max_norm(BaseDecodeHead.predict_by_feat(
            self, specific, batch_img_metas))

    @staticmethod
    def _valid_cells(class_maps: ClassMaps,
                     batch_data_samples: list) -> Tensor | None:
        boxes = [sample.metainfo.get('valid_box') for sample in batch_data_samples]
        size = class_maps.extra['size']
        if size is None or not any(boxes):
            return None
        grid = LabelGrid(size, class_maps.maps.shape[2:])
        valid = torch.stack([grid.inside(box) for box in boxes])
        return valid[:, None].to(class_maps.maps.device)

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from collections.abc import Sequence

import torch
from mmcv.cnn import ConvModule
from mmseg.registry import MODELS
from torch import Tensor, nn

from mmwsss.ops import ngwp_scores, pseudo_labels_from_masks
from mmwsss.ops.ngwp_scores import softmax_masks
from mmwsss.structures import ClassMaps, resize_maps

from ..layers import ASPP, GlobalCueInjection, StochasticGate
from .cam_head import CAMHead

STAGES = ('pretrain', 'self_train')
LABEL_THRESHOLDS = dict(fg_ratio=0.6, bg_ratio=0.7, floor=0.2)


@MODELS.register_module()
class NGWPHead(CAMHead):
    """Segmentation learnt from image labels in a single stage.

    A decoder as in DeepLabv3+ gives a logit a class and pixel; background has a
    constant one. Normalised global weighted pooling (nGWP) of the softmax masks
    gives the class scores that image labels train. In stage ``self_train`` the
    masks, refined by PAMR, also train the pixels; a stochastic gate between
    deep features and shallow ones, which global cues enrich, keeps the network
    from learning its own mistakes. `Single-Stage Semantic Segmentation from
    Image Labels <https://arxiv.org/abs/2005.08104>`_ (CVPR 2020).

    Where paper and official code differ, the defaults are those of the code;
    ``configs/single_stage/README.md`` lists the differences.

    Args:
        in_channels (Sequence[int]): Channels of the shallow and the deep
            features: 256 at stride 4 and the last of the backbone.
        num_classes (int): All classes, background included.
        channels (int): Channels of the decoder. Defaults to 256.
        in_index (Sequence[int]): Which features of the backbone these are.
            Defaults to (0, -1).
        skip_channels (int): Channels of the shallow features that join the
            deep ones. Defaults to 48.
        dilations (Sequence[int]): Dilations of the ASPP. Defaults to
            (1, 12, 24, 36).
        aspp_norm_eval (bool): Whether the ASPP normalises with running
            statistics, which then stay 0 and 1, in training too. Defaults to
            True.
        gate (dict, optional): Arguments of :class:`StochasticGate`; None for
            deep features only. Defaults to ``dict(rate=0.3)``.
        cues (dict, optional): Arguments of :class:`GlobalCueInjection`; None
            to gate with a 1x1 convolution of the shallow features. Defaults
            to an empty dict.
        bg_logit (float): The constant background logit. Defaults to 1.
        pool_eps (float): ``eps`` of :func:`mmwsss.ops.ngwp_scores`. Defaults
            to 1.
        focal_p (float): Power of the size penalty. Defaults to 3.
        focal_lambda (float, optional): Offset of the size penalty; None for no
            penalty. Defaults to 0.01.
        refiner (dict, optional): What refines the masks that become labels;
            None for nothing. It sees the images, normalised, at the masks'
            size. Defaults to ``dict(type='PAMR')``.
        label_thresholds (dict): Arguments of
            :func:`mmwsss.ops.pseudo_labels_from_masks`.
        loss_mask (dict): The pixel loss. Defaults to
            ``dict(type='SelfLabelLoss')``.
        score_thr (float): Without image labels, a prediction shows the classes
            whose probability exceeds this. Defaults to 0.1.
        bg_power (float): Power of the background mask in predictions. Defaults
            to 3.
        stage (str): The stage at build. Defaults to 'pretrain'.
        align_corners (bool): How maps are resized. Defaults to True.
        norm_cfg (dict): The normalisation. Defaults to BN.
        **kwargs: Further arguments of :class:`CAMHead`.

    Raises:
        ValueError: If the stage is unknown, there are not two features, or
            ``cues`` lack a gate.
    """

    needs_images = True

    def __init__(self,
                 in_channels: Sequence[int],
                 num_classes: int,
                 channels: int = 256,
                 in_index: Sequence[int] = (0, -1),
                 skip_channels: int = 48,
                 dilations: Sequence[int] = (1, 12, 24, 36),
                 aspp_norm_eval: bool = True,
                 gate: dict | None = dict(rate=0.3),
                 cues: dict | None = dict(),
                 bg_logit: float = 1.,
                 pool_eps: float = 1.,
                 focal_p: float = 3.,
                 focal_lambda: float | None = 0.01,
                 refiner: dict | None = dict(type='PAMR'),
                 label_thresholds: dict = LABEL_THRESHOLDS,
                 loss_mask: dict = dict(type='SelfLabelLoss'),
                 score_thr: float = 0.1,
                 bg_power: float = 3.,
                 stage: str = 'pretrain',
                 align_corners: bool = True,
                 norm_cfg: dict = dict(type='BN'),
                 **kwargs) -> None:
        if len(in_channels) != 2 or len(in_index) != 2:
            raise ValueError('in_channels and in_index each need a shallow and '
                             f'a deep feature, got {in_channels} and {in_index}')
        super().__init__(
            list(in_channels),
            num_classes,
            channels=channels,
            in_index=list(in_index),
            input_transform='multiple_select',
            score_thr=score_thr,
            align_corners=align_corners,
            norm_cfg=norm_cfg,
            **kwargs)
        shallow, deep = self.in_channels
        conv = dict(norm_cfg=norm_cfg)
        self.aspp = ASPP(
            deep, channels, dilations, norm_eval=aspp_norm_eval,
            align_corners=align_corners, norm_cfg=norm_cfg)
        self.skip = ConvModule(shallow, skip_channels, 1, **conv)
        self.fuse = ConvModule(
            channels + skip_channels, channels, 3, padding=1, **conv)
        self.gate: nn.Module | None = None
        self.enrich: nn.Module | None = None
        if gate is not None:
            self.gate = StochasticGate(**gate)
            if cues is None:
                self.enrich = ConvModule(shallow, channels, 1, **conv)
            else:
                self.enrich = GlobalCueInjection(
                    shallow, channels, **{'norm_cfg': norm_cfg, **cues})
        self.decoder = nn.Sequential(
            ConvModule(channels, channels, 3, padding=1, **conv),
            nn.Dropout(0.5),
            ConvModule(channels, channels, 3, padding=1, **conv),
            nn.Dropout(0.1))
        self.classifier = nn.Conv2d(channels, num_classes - 1, 1)

        self.bg_logit = bg_logit
        self.pool_eps = pool_eps
        self.focal_p = focal_p
        self.focal_lambda = focal_lambda
        self.refiner = MODELS.build(refiner) if refiner else None
        self.label_thresholds = dict(label_thresholds)
        self.loss_mask = MODELS.build(loss_mask)
        self.bg_power = bg_power
        # Its masks have a background of their own.
        self.bg_thr = None
        self.switch_stage(stage)

    def init_weights(self) -> None:
        """Initialise by ``init_cfg``; without it He's way for the fan-in."""
        super().init_weights()
        if not self.init_cfg:
            for module in self.modules():
                if isinstance(module, nn.Conv2d):
                    nn.init.kaiming_normal_(module.weight)

    def switch_stage(self, stage: str) -> None:
        """Choose the losses.

        Args:
            stage (str): ``'pretrain'``, image labels only, or
                ``'self_train'``, the network's own labels too.

        Raises:
            ValueError: If the stage is unknown.
        """
        if stage not in STAGES:
            raise ValueError(f'stage must be one of {STAGES}, got {stage!r}')
        self.stage = stage

    def forward(self,
                inputs: tuple[Tensor, ...],
                images: Tensor | None = None) -> ClassMaps:
        """Score every pixel and the whole image.

        Args:
            inputs (tuple[Tensor]): Multi-level features of the backbone.
            images (Tensor, optional): The images of shape (N, 3, H, W),
                normalised; stage ``self_train`` labels them.

        Returns:
            ClassMaps: Logits of pixels at the size of the shallow features, with
            the constant one of the background; for seeds their softmax, without
            gradient.
        """
        shallow, deep = self._transform_inputs(inputs)
        x = self._resize(self.aspp(deep), shallow.shape[2:])
        x = self.fuse(torch.cat([x, self.skip(shallow)], dim=1))
        if self.gate is not None and self.enrich is not None:
            inject = isinstance(self.enrich, GlobalCueInjection)
            cues = (shallow, x) if inject else (shallow, )
            x = self.gate(x, self.enrich(*cues))
        return self.answer(self.classify(self.decoder(x)), images)

    def answer(self, maps: Tensor, images: Tensor | None = None) -> ClassMaps:
        """What :meth:`forward` returns, from raw class maps (N, C - 1, h, w)."""
        masks = self.masks(maps.detach())
        return ClassMaps(
            maps,
            self.pool(maps),
            background=torch.full_like(maps[:, :1], self.bg_logit),
            seed_maps=masks[:, 1:],
            seed_background=masks[:, :1],
            extra=dict(images=images))

    def pool(self, maps: Tensor) -> Tensor:
        """Pool raw class maps (N, C - 1, h, w) into logits (N, C - 1)."""
        return ngwp_scores(maps, self.bg_logit, self.pool_eps, self.focal_p,
                           self.focal_lambda)

    def masks(self, maps: Tensor) -> Tensor:
        """Softmax masks (N, C, h, w), background first, of raw class maps."""
        return softmax_masks(maps.float(), self.bg_logit)

    def loss_by_feat(self,
                     class_maps: ClassMaps,
                     batch_data_samples: list,
                     label_maps: ClassMaps | None = None) -> dict[str, Tensor]:
        """The losses of the present stage.

        Args:
            class_maps (ClassMaps): What :meth:`forward` returned.
            batch_data_samples (list[:obj:`SegDataSample`]): With ``tags``.
            label_maps (ClassMaps, optional): What another model answered, whose
                masks become labels. Defaults to None: this one's own.

        Returns:
            dict[str, Tensor]: Losses by name and, in stage ``self_train``, for
            the log: ``kept``, the share of images that the pixel loss uses,
            and ``decided``, the share of pixels with a label.

        Raises:
            ValueError: If a sample lacks image labels or has labels of another
                number of classes, or images are missing.
        """
        losses = super().loss_by_feat(class_maps, batch_data_samples)
        if self.stage == 'self_train':
            images = class_maps.extra['images']
            if images is None:
                raise ValueError('stage self_train labels images: train with '
                                 "type='WeakSegmentor' or 'SelfTrainSegmentor'")
            tags = self.tags(batch_data_samples)
            labels = self.self_labels(
                label_maps or class_maps, images, tags)
            losses.update(
                self._pixel_losses(class_maps, labels, tags))
        return losses

    @torch.no_grad()
    def self_labels(self, class_maps: ClassMaps, images: Tensor,
                    tags: Tensor) -> Tensor:
        """Make labels of masks.

        Args:
            class_maps (ClassMaps): What this head, or another, answered.
            images (Tensor): Images of shape (N, 3, H, W).
            tags (Tensor): Multi-hot, of shape (N, C - 1).

        Returns:
            Tensor: Class ids of shape (N, H, W); 255 is undecided.
        """
        masks = class_maps.seed_scores
        if self.refiner is not None:
            masks = self.refiner(
                masks, self._resize(images.float(), masks.shape[2:]))
        masks = self._resize(masks, images.shape[2:])
        return pseudo_labels_from_masks(masks, tags,
                                        **self.label_thresholds)

    def predict_by_feat(self, class_maps: ClassMaps,
                        batch_img_metas: list[dict]) -> Tensor:
        """Masks at the size of the input.

        Args:
            class_maps (ClassMaps): What :meth:`forward` returned.
            batch_img_metas (list[dict]): Meta information of the images.

        Returns:
            Tensor: Masks of shape (N, C, H, W), background first and to its
            power; those of classes that are not shown are 0.
        """
        masks = super().predict_by_feat(class_maps, batch_img_metas)
        return torch.cat([masks[:, :1]**self.bg_power, masks[:, 1:]], dim=1)

    def _pixel_losses(self, class_maps: ClassMaps, labels: Tensor,
                      tags: Tensor) -> dict[str, Tensor]:
        logits = self._resize(class_maps.scores.float(), labels.shape[1:])
        kept = self.loss_mask.kept(labels, tags)
        return {
            self.loss_mask.loss_name:
            self.loss_mask(logits, labels, tags),
            'kept': kept.float().mean(),
            'decided': (labels != 255).float().mean(),
        }

    def _resize(self, maps: Tensor, size: Sequence[int]) -> Tensor:
        return resize_maps(maps, size, self.align_corners)

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import torch
from mmseg.registry import MODELS
from torch import Tensor, nn

from mmwsss.models.heads.seam_head import add_background, keep_strongest, upsample
from mmwsss.structures import ClassMaps

from .eps_head import split_scores
from .losses import saliency_maps
from .ppc_head import PPCHead


@MODELS.register_module()
class PPCEPSHead(PPCHead):
    """PPC on EPS: class maps with a background that saliency teaches.

    The classifier has a background, and :class:`~projects.eps_ppc.losses.EPSLoss`
    teaches its maps and the revised ones, in both views. SEAM's losses look at
    maps as large as the network makes them. Seeds are the softmax of the
    classifier's maps; the revised ones only make prototypes.

    Args:
        *args: Arguments of :class:`PPCHead`.
        loss_saliency (dict): Defaults to ``dict(type='EPSLoss')``.
        first_class_as_background (bool): Whether the cross regularisation never
            suppresses the first class and lets the background compete in its
            place, as the code does, whose background is the last channel and
            whose function takes the first one for it. Defaults to False.
        full_size (bool): As in :class:`SEAMHead`. Defaults to False.
        dropout_ratio (float): Defaults to 0.
        background_score (float): Defaults to 0.1.
        top_ratio (float): Defaults to 1 / 16.
        **kwargs: Further arguments of :class:`PPCHead`.
    """

    def __init__(self,
                 *args,
                 loss_saliency: dict = dict(type='EPSLoss'),
                 first_class_as_background: bool = False,
                 full_size: bool = False,
                 dropout_ratio: float = 0.,
                 background_score: float = 0.1,
                 top_ratio: float = 1 / 16,
                 **kwargs) -> None:
        super().__init__(
            *args,
            full_size=full_size,
            dropout_ratio=dropout_ratio,
            background_score=background_score,
            top_ratio=top_ratio,
            **kwargs)
        self.classifier = nn.Conv2d(
            self.channels, self.num_classes, kernel_size=1, bias=False)
        self.first_class_as_background = first_class_as_background
        self.loss_saliency = MODELS.build(loss_saliency)

    def split(self, scores: Tensor) -> dict[str, Tensor]:
        """Fields of :class:`ClassMaps` from raw scores, background first."""
        return split_scores(scores)

    def loss_by_feat(self, class_maps: ClassMaps, batch_data_samples: list,
                     second: ClassMaps) -> dict[str, Tensor]:
        """Compute the losses of two views of the same images.

        Args:
            class_maps (ClassMaps): What :meth:`forward` returned for the larger
                view.
            batch_data_samples (list[:obj:`SegDataSample`]): With
                ``tags`` and ``gt_saliency``.
            second (ClassMaps): What it returned for the smaller one.

        Returns:
            dict[str, Tensor]: Those of :class:`PPCHead`, ``loss_saliency`` and
            ``loss_saliency_revised``.
        """
        losses = super().loss_by_feat(class_maps, batch_data_samples, second)
        labels = self.tags(batch_data_samples)
        saliency = saliency_maps(batch_data_samples, class_maps.maps)
        pairs = [(view, upsample(saliency, view.extra['size']))
                 for view in (class_maps, second)]
        losses['loss_saliency'] = sum(
            self.loss_saliency(view.scores, maps, labels)
            for view, maps in pairs) / 2
        losses['loss_saliency_revised'] = sum(
            self.loss_saliency(view.extra['revised'], maps, labels)
            for view, maps in pairs) / 2
        return losses

    def cross_target(self, maps: Tensor) -> Tensor:
        """As of :class:`SEAMHead`, or with the classes as the code takes them."""
        if not self.first_class_as_background:
            return super().cross_target(maps)
        scores = torch.roll(add_background(maps), -1, dims=1)
        return torch.roll(keep_strongest(scores), 1, dims=1)

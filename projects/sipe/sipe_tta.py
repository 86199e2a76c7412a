# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from mmseg.registry import MODELS
from torch import Tensor

from mmwsss.models.tta import CAMTTAModel
from mmwsss.models.tta.image_tta import Views
from mmwsss.ops import max_norm
from mmwsss.structures import ClassMaps, present_classes


@MODELS.register_module()
class SIPETTAModel(CAMTTAModel):
    """Seeds by IS-CAM from several scales and flips.

    An image and its mirror image, turned back, are one before prototypes are made:
    their raw maps (before ReLU) and features are added. IS-CAM of all scales is
    added at the size of the image and divided by its maximum, the background as
    the classes. `Self-supervised Image-specific Prototype Exploration
    <https://arxiv.org/abs/2203.02909>`_ (SIPE, CVPR 2022).

    Args:
        module (dict | nn.Module): A segmentor with :class:`SIPEHead`.
        score_thr (float, optional): Of an image without image labels, classes
            whose mean probability over the views exceeds this take part. Defaults
            to that of the head.
        size_divisor (int): As in :class:`CAMTTAModel`. Defaults to 1.
        **kwargs: Further arguments of :class:`CAMTTAModel`, but ``power`` and
            ``min_max``, which IS-CAM has not.
    """

    def __init__(self,
                 module,
                 score_thr: float | None = None,
                 size_divisor: int = 1,
                 **kwargs) -> None:
        for name in ('power', 'min_max'):
            if name in kwargs:
                raise ValueError(f'{type(self).__name__} has no {name}')
        super().__init__(module, size_divisor=size_divisor, **kwargs)
        head = self.module.decode_head
        self.score_thr = head.score_thr if score_thr is None else score_thr

    def merge_views(self, views: Views) -> tuple[Tensor, Tensor]:
        """IS-CAM (C, h, w) of the views of one size, background first, and the
        logits of each, of shape (V, C - 1)."""
        head = self.module.decode_head
        answer = head.answer(self.module.extract_feat(views.inputs))
        views.check_finite(answer.maps)
        maps, deep, hierarchical = (
            sum(views.unflip(one.float()))[None] for one in (
                answer.maps, answer.extra['deep'], answer.extra['hierarchical']))
        merged = ClassMaps(
            maps, head.pool(maps), extra=dict(deep=deep, hierarchical=hierarchical))
        shown = present_classes(
            views.samples[0].metainfo, head.num_classes,
            answer.logits.float().sigmoid().mean(dim=0), self.score_thr)
        shown = shown.to(maps.device)[None]
        return head.predicted_maps(merged, shown)[0], answer.logits

    def normalize_scores(self, merged: Tensor, num_views: int) -> Tensor:
        """IS-CAM (1 + K, h, w), each map and the background divided by its
        maximum."""
        return max_norm(merged, self.eps)

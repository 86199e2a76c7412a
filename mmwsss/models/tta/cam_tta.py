# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Multi-scale and flip inference of class activation maps."""

from collections.abc import Sequence
from math import ceil
from typing import Any

import torch
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor

from mmwsss.ops import max_norm, min_max_norm
from mmwsss.ops.normalize_maps import EPS
from mmwsss.structures import Seed, present_classes, resize_maps, strided_size
from mmwsss.utils.renamed import renamed_arguments

from .image_tta import ImageTTAModel, Views


@MODELS.register_module()
class CAMTTAModel(ImageTTAModel):
    """Seeds from raw class maps of several scales and flips.

    mmseg's ``SegTTAModel`` merges probabilities at image size. Seeds need the
    raw maps, merged once, as `IRN <https://arxiv.org/abs/1904.05044>`_ does
    it: an image and its mirror image pass the network in one batch without
    padding; the maps pass ReLU, the mirrored ones are turned back and added.
    The sums of all scales are resized (bilinear, align_corners False) and
    added twice, at stride 4 and, for the full-size product, at the next
    multiple of ``size_divisor`` and then cropped. The maps of the image's classes are
    divided by their maximum + 1e-5.

    See :class:`ImageTTAModel` for the views that it takes.

    Args:
        module (dict | nn.Module): The model whose ``class_maps(inputs)`` answers
            :class:`ClassMaps`, such as :class:`WeakSegmentor`. Where their seeds
            have a background of their own, they and it are the means of all views.
        full_size (bool): Whether to make the full-size product, too. Defaults
            to True.
        bg_thr (float): The background score of ``pred_sem_seg``, where seeds
            have no background of their own. Defaults to 0.15.
        score_thr (float, optional): For images without image labels: keep the
            classes whose mean probability exceeds this. Defaults to None: keep
            all.
        power (float): What class maps are raised to after their ReLU; PSA takes
            the square root with VGG-16, 0.5. Defaults to 1.
        min_max (bool): Whether the least value of each merged map is subtracted
            first, as SEAM does. Defaults to False.
        eps (float): What is added to what maps are divided by, far below their
            maxima: maps of attention are small. Defaults to 1e-5.
        size_divisor (int): Where the full-size product is merged: 16, IRN's, for
            networks of stride 16, or 1, the image's own size, as PSA, SEAM and EPS
            do, for those of stride 8. Defaults to 16.
        data_preprocessor (dict, optional): Replaces the model's own.
    """

    @renamed_arguments(threshold='bg_thr')
    def __init__(self,
                 module,
                 full_size: bool = True,
                 bg_thr: float = 0.15,
                 score_thr: float | None = None,
                 power: float = 1.,
                 min_max: bool = False,
                 eps: float = EPS,
                 size_divisor: int = 16,
                 data_preprocessor: dict | None = None) -> None:
        super().__init__(module, data_preprocessor)
        self.full_size = full_size
        self.bg_thr = bg_thr
        self.score_thr = score_thr
        self.power = power
        self.min_max = min_max
        self.eps = eps
        self.size_divisor = size_divisor

    @torch.no_grad()
    def predict_image(self, inputs: Sequence[Tensor],
                      samples: Sequence[SegDataSample]) -> SegDataSample:
        """Make the seed of one image.

        Args:
            inputs (Sequence[Tensor]): Its views, each of shape (3, h, w).
            samples (Sequence[:obj:`SegDataSample`]): Their samples.

        Returns:
            :obj:`SegDataSample`: The unflipped sample with ``seed``
            (:class:`Seed` at stride 4), ``full_seed`` (at image size, if asked
            for), ``pred_label_scores`` (mean class probabilities, of shape
            (C - 1,)) and ``pred_sem_seg``.
        """
        result: Any = None  # One view at least is not flipped.
        maps, by_view = [], []
        for views in self.views(inputs, samples):
            views.check_unpadded()
            merged, logits = self.merge_views(views)
            maps.append(merged)
            by_view.append(logits.float().sigmoid())
            if result is None:
                result = views.unflipped()
        probabilities = torch.cat(by_view).mean(0)
        labels = self._present_labels(result, probabilities)
        size = tuple(result.metainfo['ori_shape'][:2])
        own_background = len(maps[0]) > len(probabilities)
        if own_background:
            channels = torch.cat([labels.new_zeros(1), labels])
        else:
            channels = labels - 1
        maps = [one[channels][None] for one in maps]

        def make_seed(merged: Tensor) -> Seed:
            if not own_background:
                return Seed(self._normalize(merged), labels, size)
            scores = self.normalize_scores(merged, len(inputs))
            return Seed(scores[1:], labels, size, scores[0])

        seed = make_seed(_merge(maps, strided_size(size)))
        # Not a result of mmseg's fields: plain data of the sample.
        result.set_data(dict(seed=seed, pred_label_scores=probabilities))
        best = seed
        if self.full_size:
            height, width = (
                ceil(side / self.size_divisor) * self.size_divisor
                for side in size)
            merged = _merge(maps, (height, width))[:, :size[0], :size[1]]
            best = make_seed(merged)
            result.set_data(dict(full_seed=best))
        bg_thr = None if own_background else self.bg_thr
        result.set_data(
            dict(pred_sem_seg=PixelData(
                data=best.to_mask(bg_thr)[None].long())))
        return result

    def merge_views(self, views: Views) -> tuple[Tensor, Tensor]:
        """What the model sees in the views of one size.

        Args:
            views (Views): An image and its mirror image, or one of them.

        Returns:
            tuple[Tensor, Tensor]: The sum of their maps, of shape (C - 1, h, w),
            or (C, h, w) where seeds have a background of their own, and the
            logits of each view, of shape (V, C - 1).
        """
        class_maps = self.module.class_maps(views.inputs)
        seed_maps = class_maps.maps_of_seeds.float()
        views.check_finite(seed_maps)
        seed_maps = seed_maps.relu()**self.power
        if class_maps.seed_background is not None:
            background = class_maps.seed_background.float()
            seed_maps = torch.cat([background, seed_maps], dim=1)
        merged = sum(views.unflip(seed_maps), seed_maps.new_zeros(()))
        return merged, class_maps.logits

    def normalize_scores(self, merged: Tensor, num_views: int) -> Tensor:
        """Seeds with a background of their own, in [0, 1].

        Args:
            merged (Tensor): The sum of their maps in all views, of shape
                (1 + K, h, w), background first.
            num_views (int): How many views these were.

        Returns:
            Tensor: Their mean: maps and background have one scale.
        """
        return (merged / num_views).clamp(0, 1)

    def _normalize(self, maps: Tensor) -> Tensor:
        normalize = min_max_norm if self.min_max else max_norm
        return normalize(maps, self.eps)

    def _present_labels(self, sample, probabilities: Tensor) -> Tensor:
        present = present_classes(
            sample.metainfo, len(probabilities) + 1, probabilities,
            self.score_thr)
        return present.nonzero().flatten() + 1


def _merge(maps: list[Tensor], size: tuple[int, int]) -> Tensor:
    """Sum of maps (1, K, h, w) of several sizes at one size: (K, H, W)."""
    resized = (resize_maps(one, size) for one in maps)
    return sum(resized, maps[0].new_zeros(()))[0]

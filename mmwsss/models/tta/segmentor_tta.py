# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from collections.abc import Sequence
from typing import Any

import torch
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor

from mmwsss.ops.normalize_maps import EPS
from mmwsss.structures import Seed, present_classes, resize_maps, strided_size

from .image_tta import ImageTTAModel


@MODELS.register_module()
class SegmentorTTAModel(ImageTTAModel):
    r"""Seeds of any segmentation model, of the classes that the image's tags name.

    A segmentation model that was trained on pseudo labels has seen all images, and
    averages over the errors of each. It can label them anew, better than before if
    tags say which classes there are. The probabilities of all scales and flips are
    averaged at the image's size; a class's score is its share beside the background:

    .. math::
        s_k = \frac {p_k} {p_k + p_0} \quad \text{or} \quad
        s_k = (1 - p_0) \frac {p_k} {\sum_{l \in T} p_l}

    At the threshold 0.5 the mask of the first rule is that of the model with the absent
    classes left out: where the model takes a cow for a horse, hardly anything is left
    for the cow beside the background. By the second rule such a pixel is an object,
    and so of one of the image's classes T; at 0.5 the object keeps its shape. A model
    that learnt from labels with holes finds too little, and a lower threshold suits
    it better; so its seeds are measured, thresholded and refined as those of a
    classifier are. Self-training with image labels was proposed e.g. in `WSSL
    <https://arxiv.org/abs/1502.02734>`_ (ICCV 2015), whose bias of the foreground the
    threshold is.

    Args:
        module (dict | nn.Module): An ``EncoderDecoder`` of mmseg.
        absent (str): What becomes of the probability of classes that the image does
            not show: ``'left_out'``, the first rule, or ``'shared'``, the second.
            Defaults to 'left_out'.
        data_preprocessor (dict, optional): Replaces the model's own.

    Raises:
        ValueError: If there is no such rule.
    """

    def __init__(self,
                 module,
                 absent: str = 'left_out',
                 data_preprocessor: dict | None = None) -> None:
        super().__init__(module, data_preprocessor)
        if absent not in ('left_out', 'shared'):
            raise ValueError(
                f"absent must be 'left_out' or 'shared', got {absent!r}")
        self.absent = absent

    @torch.no_grad()
    def predict_image(self, inputs: Sequence[Tensor],
                      samples: Sequence[SegDataSample]) -> SegDataSample:
        """Predict one image.

        Args:
            inputs (Sequence[Tensor]): Its views, each of shape (3, h, w).
            samples (Sequence[:obj:`SegDataSample`]): Their samples.

        Returns:
            :obj:`SegDataSample`: The unflipped sample with ``seg_logits`` (the mean
            probabilities (C, H, W), 0 where tags exclude a class), ``pred_sem_seg``,
            ``seed`` (:class:`Seed` at stride 4) and ``full_seed`` (at the image's
            size).
        """
        result: Any = None  # One view at least is not flipped.
        size = tuple(samples[0].metainfo['ori_shape'][:2])
        total = torch.zeros(())
        for views in self.views(inputs, samples):
            logits = self.module.encode_decode(
                views.inputs, [sample.metainfo for sample in views.samples])
            views.check_unpadded()
            views.check_finite(logits)
            resized = resize_maps(
                logits.float(), size, self.module.align_corners)
            total = total + sum(views.unflip(resized.softmax(dim=1)))
            if result is None:
                result = views.unflipped()

        # Means of probabilities exceed 1 by a rounding error.
        mean = (total / len(inputs)).clamp_(0, 1)
        present = present_classes(result.metainfo, len(mean)).to(mean.device)
        mean[1:] *= present[:, None, None]
        labels = present.nonzero().flatten() + 1
        if self.absent == 'shared':
            scores = (1 - mean[0]) * mean[labels] / mean[labels].sum(0).clamp_(min=EPS)
        else:
            scores = mean[labels] / (mean[labels] + mean[0]).clamp_(min=EPS)
        small = resize_maps(scores, strided_size(size))
        result.set_data(
            dict(
                seg_logits=PixelData(data=mean),
                pred_sem_seg=PixelData(data=mean.argmax(0, keepdim=True)),
                seed=Seed(small.clamp(0, 1), labels, size),
                full_seed=Seed(scores.clamp(0, 1), labels, size)))
        return result

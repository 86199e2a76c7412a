# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from collections.abc import Sequence
from typing import Any

import torch
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor
from torch.nn import functional as F

from mmwsss.structures import Seed, resize_maps, strided_size

from .cam_tta import CAMTTAModel


@MODELS.register_module()
class MaskTTAModel(CAMTTAModel):
    """Masks from the softmax masks of several scales and flips.

    Inference of `Single-Stage Semantic Segmentation from Image Labels
    <https://arxiv.org/abs/2005.08104>`_ (CVPR 2020) as its code does it: each
    input, normalised, is centred on a canvas of zeros; its masks are resized to
    the canvas (bilinear, align_corners as in the head), cut out, resized to the
    image (align_corners False) and turned back. Foreground masks of absent
    classes are removed: with image labels of the image by those, else where
    the largest class probability over the inputs is at most ``score_thr``. The
    masks are averaged and the background mask is raised to a power.

    Args:
        module (dict | nn.Module): A :class:`WeakSegmentor` with
            :class:`NGWPHead`, or another head whose seeds have a background of
            their own.
        pad_size (int, optional): Side of the canvas in pixels. Larger inputs
            and, with None, all inputs have a canvas of their own size.
            Defaults to 1024.
        score_thr (float, optional): Defaults to the head's.
        bg_power (float, optional): Defaults to the head's.
        data_preprocessor (dict, optional): Replaces the model's own.
    """

    def __init__(self,
                 module,
                 pad_size: int | None = 1024,
                 score_thr: float | None = None,
                 bg_power: float | None = None,
                 data_preprocessor: dict | None = None) -> None:
        super().__init__(module, data_preprocessor=data_preprocessor)
        head = self.module.decode_head
        self.pad_size = pad_size or 0
        self.score_thr = head.score_thr if score_thr is None else score_thr
        self.bg_power = (
            getattr(head, 'bg_power', 1) if bg_power is None else bg_power)

    @torch.no_grad()
    def predict_image(self, inputs: Sequence[Tensor],
                      samples: Sequence[SegDataSample]) -> SegDataSample:
        """As :meth:`CAMTTAModel.predict_image`, with the masks of all classes as
        ``seg_logits`` and seeds that have a background map."""
        result: Any = None  # One view at least is not flipped.
        size = tuple(samples[0].metainfo['ori_shape'][:2])
        total, by_view = torch.zeros(()), []
        for views in self.views(inputs, samples):
            masks, scores = self._predict_inputs(views.inputs, size)
            views.check_finite(masks)
            by_view.append(scores.sigmoid())
            total = total + sum(views.unflip(masks))
            if result is None:
                result = views.unflipped()

        probabilities = torch.cat(by_view).amax(0)
        labels = self._present_labels(result, probabilities)
        # Weights of interpolation add up to 1 but for rounding.
        masks = (total / len(inputs)).clamp_(0, 1)
        shown = torch.zeros_like(masks[:, :1, :1])
        shown[0] = shown[labels] = 1
        masks *= shown
        masks[0] **= self.bg_power
        small = resize_maps(masks, strided_size(size)).clamp(0, 1)
        result.set_data(
            dict(
                seg_logits=PixelData(data=masks),
                pred_sem_seg=PixelData(data=masks.argmax(0, keepdim=True)),
                seed=Seed(small[labels], labels, size, small[0]),
                full_seed=Seed(masks[labels], labels, size, masks[0]),
                pred_label_scores=probabilities))
        return result

    def _predict_inputs(self, inputs: Tensor,
                        size: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """Masks (N, C, H, W) at the image's size and class logits (N, C - 1)
        of normalised inputs (N, 3, h, w)."""
        height, width = inputs.shape[2:]
        spare_y = max(self.pad_size - height, 0)
        spare_x = max(self.pad_size - width, 0)
        top, left = spare_y // 2, spare_x // 2
        canvas = F.pad(inputs, (left, spare_x - left, top, spare_y - top))
        head = self.module.decode_head
        class_maps = self.module.class_maps(canvas)
        if class_maps.seed_background is None:
            raise ValueError(f'seeds of {type(head).__name__} have no background '
                             'of their own: merge them by CAMTTAModel')
        masks = resize_maps(
            class_maps.seed_scores, canvas.shape[2:], head.align_corners)
        masks = masks[..., top:top + height, left:left + width]
        return resize_maps(masks, size), class_maps.logits.float()

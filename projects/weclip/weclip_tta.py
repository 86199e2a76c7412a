# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from collections.abc import Sequence
from typing import Any

import torch
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor
from torch.nn import functional as F

from mmwsss.models.tta.image_tta import ImageTTAModel
from mmwsss.structures import Seed, present_classes, resize_maps, strided_size


@MODELS.register_module()
class WeCLIPTTAModel(ImageTTAModel):
    """Masks from the mean logits of some scales and flips, as WeCLIP tests.

    The normalised image is resized until its long side has a given length, whatever
    its own; logits of all scales and both sides are averaged at the size of those of
    the first. No tags are needed. Of an image that has some, other classes are ruled
    out.

    Args:
        module (dict | nn.Module): A :class:`WeakSegmentor` with :class:`WeCLIPHead`.
        long_side (int): In pixels. Defaults to 512.
        scales (Sequence[float]): Of that, the first one 1. Defaults to (1., 0.75).
        flip (bool): Whether mirror images count, too. Defaults to True.
        data_preprocessor (dict, optional): Replaces the model's own.

    Raises:
        ValueError: If the first scale is not 1.
    """

    def __init__(self,
                 module,
                 long_side: int = 512,
                 scales: Sequence[float] = (1., 0.75),
                 flip: bool = True,
                 data_preprocessor: dict | None = None) -> None:
        super().__init__(module, data_preprocessor)
        if not scales or scales[0] != 1 or min(scales) <= 0:
            raise ValueError(f'scales must be positive, the first one 1, got {scales}')
        self.long_side = long_side
        self.scales = tuple(scales)
        self.flip = flip

    @torch.no_grad()
    def predict_image(self, inputs: Sequence[Tensor],
                      samples: Sequence[SegDataSample]) -> SegDataSample:
        """Predict one image.

        Args:
            inputs (Sequence[Tensor]): One view, of shape (3, H, W).
            samples (Sequence[:obj:`SegDataSample`]): Its sample.

        Returns:
            :obj:`SegDataSample`: The sample with ``seg_logits`` (of other classes
            than those of its labels -inf), ``pred_sem_seg``, and their softmax as
            ``seed`` (:class:`Seed` at stride 4) and ``full_seed`` (at image size).

        Raises:
            ValueError: If there is another number of views.
        """
        views, = self.views(inputs, samples)
        if len(views.inputs) != 1:
            raise ValueError(f'{type(self).__name__} makes scales and flips itself: '
                             'give TestTimeAug one view')
        views.check_unpadded()
        result: Any = views.unflipped()
        logits = self.mean_logits(views.inputs)
        views.check_finite(logits)
        size = tuple(result.metainfo['ori_shape'][:2])
        shown = present_classes(result.metainfo, logits.shape[1]).to(logits.device)
        hidden = torch.cat([shown.new_zeros(1), ~shown])
        labels = shown.nonzero().flatten() + 1

        def logits_at(where: tuple[int, int]) -> Tensor:
            resized = resize_maps(logits, where)[0]
            return resized.masked_fill(hidden[:, None, None], -torch.inf)

        def seed_of(resized: Tensor) -> Seed:
            masks = resized.softmax(dim=0).clamp(0, 1)
            return Seed(masks[labels], labels, size, masks[0])

        full = logits_at(size)
        result.set_data(
            dict(
                seg_logits=PixelData(data=full),
                pred_sem_seg=PixelData(data=full.argmax(0, keepdim=True)),
                seed=seed_of(logits_at(strided_size(size))),
                full_seed=seed_of(full),
                pred_label_scores=logits[0, 1:].mean(dim=(1, 2)).sigmoid()))
        return result

    def mean_logits(self, image: Tensor) -> Tensor:
        """Logits (1, C, h, w) of a normalised image (1, 3, H, W)."""
        # An image as narrow as that is widened to a row of patches.
        patch = self.module.backbone.patch_size
        ratio = self.long_side / max(image.shape[2:])
        size = [max(int(side * ratio), patch) for side in image.shape[2:]]
        image = resize_maps(image, size)
        found: list[Tensor] = []
        for scale in self.scales:
            view = image
            if scale != 1:
                view = F.interpolate(
                    image, scale_factor=scale, mode='bilinear', align_corners=False)
            view = resize_maps(
                view, [max(side, patch) for side in view.shape[2:]])
            both = torch.cat([view, view.flip(-1)]) if self.flip else view
            logits = self.module.class_maps(both).scores.float()
            if found:
                logits = resize_maps(logits, found[0].shape[2:])
            if self.flip:
                logits = (logits[:1] + logits[1:].flip(-1)) / 2
            found.append(logits)
        return torch.stack(found).mean(dim=0)

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from collections.abc import Sequence
from math import ceil
from typing import Any

import torch
import torch.nn.functional as F
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor

from mmwsss.structures import resize_maps, strided_size

from .image_tta import ImageTTAModel


@MODELS.register_module()
class WalkTTAModel(ImageTTAModel):
    """Guides of random walks from an image and its mirror image.

    All views of one size pass the network in one batch, padded at the right
    and the bottom with zeros, behind normalisation, as in `IRN
    <https://arxiv.org/abs/1904.05044>`_ and PSA; then the map is cut to the
    image, turned back, and the head merges the views.

    IRN pads to 512 pixels, and cuts larger images off there. Here an image that
    is larger is padded to the next multiple of ``pad_divisor``, whole.

    Args:
        module (dict | nn.Module): A segmentor whose head offers ``guide`` and
            ``merge_guides``.
        pad_size (int): Least side of a padded view, in pixels. The statistics
            of group normalisation run over the padding, too: it should be the
            crop of training. Defaults to 512.
        pad_divisor (int): Sides are padded to a multiple of this. Defaults to
            16.
        displacement (bool): Whether the auxiliary head's displacement field is
            asked for, too: for instances. Defaults to False.
        data_preprocessor (dict, optional): Replaces the model's own.
    """

    def __init__(self,
                 module,
                 pad_size: int = 512,
                 pad_divisor: int = 16,
                 displacement: bool = False,
                 data_preprocessor: dict | None = None) -> None:
        super().__init__(module, data_preprocessor)
        self.pad_size = pad_size
        self.pad_divisor = pad_divisor
        self.displacement = displacement

    @torch.no_grad()
    def predict_image(self, inputs: Sequence[Tensor],
                      samples: Sequence[SegDataSample]) -> SegDataSample:
        """Make the guide of one image.

        Args:
            inputs (Sequence[Tensor]): Its views, each of shape (3, h, w).
            samples (Sequence[:obj:`SegDataSample`]): Their samples.

        Returns:
            :obj:`SegDataSample`: The unflipped sample with ``guide`` of shape
            (1, G, h, w) and, if asked for, ``displacement`` of shape (2, h, w),
            at the head's stride.
        """
        result: Any = None  # One view at least is not flipped.
        field, guides = None, []
        image_size = tuple(samples[0].metainfo['ori_shape'][:2])
        for views in self.views(inputs, samples):
            views.check_unpadded()
            size = views.size
            feats = self.module.extract_feat(self._pad(views.inputs, size))
            maps = self.module.decode_head.guide(feats).float()
            stride = round(self._padded(size)[0] / maps.shape[2])
            maps = self._cut(maps, size)
            views.check_finite(maps)
            maps = resize_maps(maps, strided_size(image_size, stride))
            guides += [view[None] for view in views.unflip(maps)]
            # The image itself, not one of its other scales.
            first = views.first_unflipped
            if first is not None and (result is None or size == image_size):
                result = views.samples[first].clone()
                if self.displacement:
                    field = self._cut(
                        self.module.auxiliary_head(feats).float(), size)[first]
        result.set_data(
            dict(guide=self.module.decode_head.merge_guides(guides)))
        if self.displacement:
            result.set_data(dict(displacement=field))
        return result

    def _padded(self, size: tuple[int, int]) -> tuple[int, int]:
        height, width = (
            max(ceil(side / self.pad_divisor) * self.pad_divisor, self.pad_size)
            for side in size)
        return height, width

    def _pad(self, images: Tensor, size: tuple[int, int]) -> Tensor:
        height, width = self._padded(size)
        return F.pad(images, (0, width - size[1], 0, height - size[0]))

    def _cut(self, maps: Tensor, size: tuple[int, int]) -> Tensor:
        """What of padded maps the image fills."""
        stride = round(self._padded(size)[0] / maps.shape[2])
        height, width = strided_size(size, stride)
        return maps[..., :height, :width]

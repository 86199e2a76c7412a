# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from collections.abc import Sequence

import torch
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor

from mmwsss.structures import resize_maps, strided_size

from .image_tta import ImageTTAModel


@MODELS.register_module()
class SANCETTAModel(ImageTTAModel):
    """Pseudo labels of :class:`SANCE` from several scales and flips.

    Class probabilities and boundaries of all views are turned back, brought to
    a quarter of the image (bilinear, align_corners False) and averaged; the
    mean probabilities then walk inside the mean boundaries, once. (IRN averages
    the boundaries' logits of one scale and its flip; the paper averages maps
    and states neither scales nor flips.)

    See :class:`ImageTTAModel` for the views that it takes.

    Args:
        module (dict | nn.Module): The :class:`SANCE` model.
        average_logits (bool): Whether to average the boundaries' logits
            instead. Defaults to False.
        data_preprocessor (dict, optional): Replaces the model's own.
    """

    def __init__(self,
                 module,
                 average_logits: bool = False,
                 data_preprocessor: dict | None = None) -> None:
        super().__init__(module, data_preprocessor)
        self.average_logits = average_logits

    @torch.no_grad()
    def predict_image(self, inputs: Sequence[Tensor],
                      samples: Sequence[SegDataSample]) -> SegDataSample:
        """Predict one image: its unflipped sample with what
        :meth:`SANCE.predict` gives."""
        result, turned = None, []
        size = tuple(samples[0].metainfo['ori_shape'][:2])
        for views in self.views(inputs, samples):
            logits, contour = self.module.maps(views.inputs)
            if not self.average_logits:
                contour = contour.sigmoid()
            maps = torch.cat([logits.softmax(dim=1), contour], dim=1)
            turned += views.unflip(resize_maps(maps, strided_size(size)))
            if result is None:
                result = views.unflipped()
        mean = torch.stack(turned).mean(dim=0)
        boundary = mean[-1:]
        if self.average_logits:
            boundary = boundary.sigmoid()
        self.module.fill(result, mean[:-1], boundary)
        return result

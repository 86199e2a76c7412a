# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from .clip_backbone import CLIPBackbone
from .clip_es import CLIPES
from .clip_es_head import CLIPESHead
from .clip_es_tta import CLIPESTTAModel
from .confident_label import ConfidentLabel
from .localizer import CLIPLocalizer
from .resize_to_patches import ResizeToPatches
from .same_size_sampler import SameSizeSampler
from .text_grad_cam import TextGradCAM

__all__ = [
    'CLIPBackbone', 'CLIPES', 'CLIPESHead', 'CLIPESTTAModel', 'CLIPLocalizer',
    'ConfidentLabel', 'ResizeToPatches', 'SameSizeSampler', 'TextGradCAM'
]

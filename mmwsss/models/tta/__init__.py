# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from .cam_tta import CAMTTAModel
from .logit_tta import LogitTTAModel
from .mask_tta import MaskTTAModel
from .sance_tta import SANCETTAModel
from .segmentor_tta import SegmentorTTAModel
from .walk_tta import WalkTTAModel

__all__ = [
    'CAMTTAModel', 'LogitTTAModel', 'MaskTTAModel', 'SANCETTAModel',
    'SegmentorTTAModel', 'WalkTTAModel'
]

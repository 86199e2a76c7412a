# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from .contour_segmentor import ContourSegmentor
from .fsae import FSAE
from .multi_scale_segmentor import MultiScaleSegmentor
from .sance import SANCE
from .self_train_segmentor import SelfTrainSegmentor
from .weak_segmentor import WeakSegmentor

__all__ = [
    'FSAE', 'SANCE', 'ContourSegmentor', 'MultiScaleSegmentor', 'SelfTrainSegmentor',
    'WeakSegmentor'
]

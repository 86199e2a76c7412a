# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from .multi_scale_segmentor import MultiScaleSegmentor
from .seam import SEAM
from .weak_segmentor import WeakSegmentor

__all__ = ['SEAM', 'MultiScaleSegmentor', 'WeakSegmentor']

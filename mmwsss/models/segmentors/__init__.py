# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from .multi_scale_segmentor import MultiScaleSegmentor
from .weak_segmentor import WeakSegmentor

__all__ = ['MultiScaleSegmentor', 'WeakSegmentor']

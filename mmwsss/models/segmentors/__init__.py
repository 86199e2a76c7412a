# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from .weak_segmentor import WeakSegmentor

__all__ = ['WeakSegmentor']

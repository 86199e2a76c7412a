# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from .feature_clip import feature_clip
from .seed_confusion import mask_confusion, seed_confusion

__all__ = ['feature_clip', 'mask_confusion', 'seed_confusion']

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from .affinity_label import affinity_label
from .dense_crf import dense_crf
from .feature_clip import feature_clip
from .offset_conv2d import offset_conv2d
from .seed_confusion import mask_confusion, seed_confusion

__all__ = [
    'affinity_label', 'dense_crf', 'feature_clip', 'mask_confusion',
    'offset_conv2d', 'seed_confusion'
]

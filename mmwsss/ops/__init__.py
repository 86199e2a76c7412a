# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from .affinity_label import affinity_label
from .dense_crf import dense_crf
from .feature_clip import feature_clip
from .seed_confusion import mask_confusion, seed_confusion

__all__ = [
    'affinity_label', 'dense_crf', 'feature_clip', 'mask_confusion',
    'seed_confusion'
]

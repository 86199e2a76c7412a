# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from .affinity_label import affinity_label
from .centroid_instances import centroid_instances
from .class_aware_affinity import class_aware_affinity
from .confidence_mask import confidence_mask
from .dense_crf import dense_crf
from .expansion_ring import expansion_ring
from .feature_affinity import feature_affinity
from .feature_clip import feature_clip
from .ngwp_scores import ngwp_scores
from .normalize_maps import max_norm, min_max_norm
from .offset_conv2d import offset_conv2d
from .pamr import pamr
from .path_affinity import path_affinity
from .pseudo_labels_from_masks import pseudo_labels_from_masks
from .random_walk import affinity_walk, random_walk
from .seed_confusion import (
    integrate_histogram,
    mask_confusion,
    seed_confusion,
    seed_histogram,
)

__all__ = [
    'affinity_label', 'affinity_walk', 'centroid_instances',
    'class_aware_affinity', 'confidence_mask', 'dense_crf', 'expansion_ring',
    'feature_affinity', 'feature_clip', 'integrate_histogram', 'mask_confusion',
    'max_norm', 'min_max_norm', 'ngwp_scores', 'offset_conv2d', 'pamr',
    'path_affinity', 'pseudo_labels_from_masks', 'random_walk', 'seed_confusion',
    'seed_histogram'
]

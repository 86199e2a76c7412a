# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from .area_loss import AreaLoss
from .balanced_cross_entropy_loss import BalancedCrossEntropyLoss
from .displacement_loss import DisplacementLoss
from .feature_affinity_loss import FeatureAffinityLoss
from .fsae_loss import FSAELoss
from .inverse_classification_loss import InverseClassificationLoss
from .multi_label_soft_margin_loss import MultiLabelSoftMarginLoss
from .path_affinity_loss import PathAffinityLoss
from .pixel_cross_entropy_loss import PixelCrossEntropyLoss
from .self_label_loss import SelfLabelLoss

__all__ = [
    'AreaLoss', 'BalancedCrossEntropyLoss', 'DisplacementLoss', 'FSAELoss',
    'FeatureAffinityLoss', 'InverseClassificationLoss', 'MultiLabelSoftMarginLoss',
    'PathAffinityLoss', 'PixelCrossEntropyLoss', 'SelfLabelLoss'
]

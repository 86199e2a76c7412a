# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from .area_loss import AreaLoss
from .balanced_cross_entropy_loss import BalancedCrossEntropyLoss
from .inverse_classification_loss import InverseClassificationLoss
from .multi_label_soft_margin_loss import MultiLabelSoftMarginLoss
from .pixel_cross_entropy_loss import PixelCrossEntropyLoss

__all__ = [
    'AreaLoss', 'BalancedCrossEntropyLoss', 'InverseClassificationLoss',
    'MultiLabelSoftMarginLoss', 'PixelCrossEntropyLoss'
]

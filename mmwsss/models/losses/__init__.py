# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from .area_loss import AreaLoss
from .inverse_classification_loss import InverseClassificationLoss
from .multi_label_soft_margin_loss import MultiLabelSoftMarginLoss

__all__ = ['AreaLoss', 'InverseClassificationLoss', 'MultiLabelSoftMarginLoss']

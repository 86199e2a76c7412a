# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from .cross_label_loss import CrossLabelLoss
from .cross_prototype_loss import CrossPrototypeLoss
from .eps_loss import EPSLoss, saliency_maps
from .intra_view_loss import IntraViewLoss
from .prototypes import PrototypeView, prototype_nce, prototype_view

__all__ = [
    'CrossLabelLoss', 'CrossPrototypeLoss', 'EPSLoss', 'IntraViewLoss',
    'PrototypeView', 'prototype_nce', 'prototype_view', 'saliency_maps'
]

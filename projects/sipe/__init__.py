# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from .gsc_loss import GSCLoss
from .hierarchical_feature import HierarchicalFeature
from .sipe_head import SIPEHead
from .sipe_tta import SIPETTAModel

__all__ = ['GSCLoss', 'HierarchicalFeature', 'SIPEHead', 'SIPETTAModel']

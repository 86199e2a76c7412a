# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from .boundary_metric import BoundaryMetric
from .confusion_scores import confusion_scores
from .mask_metric import MaskMetric
from .refined_iou_metric import RefinedIoUMetric
from .seed_metric import SeedMetric

__all__ = [
    'BoundaryMetric', 'MaskMetric', 'RefinedIoUMetric', 'SeedMetric',
    'confusion_scores'
]

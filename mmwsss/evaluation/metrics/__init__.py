# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from .confusion_scores import confusion_scores
from .mask_metric import MaskMetric
from .refined_iou_metric import RefinedIoUMetric
from .seed_metric import SeedMetric

__all__ = ['MaskMetric', 'RefinedIoUMetric', 'SeedMetric', 'confusion_scores']

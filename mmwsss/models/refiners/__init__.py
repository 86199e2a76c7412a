# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from .background_crf import BackgroundCRF
from .base_refiner import BaseRefiner
from .dense_crf import CRF_PRESETS, DenseCRF
from .label_rules import IRNLabel, PSALabel, ThresholdLabel
from .pamr import PAMR
from .random_walk import AffinityWalk, RandomWalk
from .saliency_label import SaliencyLabel
from .walk_instances import WalkInstances
from .walk_label import WalkLabel

__all__ = [
    'AffinityWalk', 'BackgroundCRF', 'BaseRefiner', 'CRF_PRESETS', 'DenseCRF',
    'IRNLabel', 'PAMR', 'PSALabel', 'RandomWalk', 'SaliencyLabel', 'ThresholdLabel',
    'WalkInstances', 'WalkLabel'
]

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from .background_crf import BackgroundCRF
from .base_refiner import BaseRefiner
from .dense_crf_refiner import CRF_PRESETS, DenseCRF
from .label_rules import IRNLabel, PSALabel, ThresholdLabel
from .pamr_refiner import PAMR
from .saliency_label import SaliencyLabel
from .walk_instances import WalkInstances
from .walk_label import WalkLabel
from .walk_refiners import AffinityWalk, RandomWalk

__all__ = [
    'AffinityWalk', 'BackgroundCRF', 'BaseRefiner', 'CRF_PRESETS', 'DenseCRF',
    'IRNLabel', 'PAMR', 'PSALabel', 'RandomWalk', 'SaliencyLabel', 'ThresholdLabel',
    'WalkInstances', 'WalkLabel'
]

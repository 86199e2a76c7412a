# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from .base_refiner import BaseRefiner
from .dense_crf import CRF_PRESETS, DenseCRF
from .label_rules import IRNLabel, PSALabel, ThresholdLabel

__all__ = [
    'CRF_PRESETS', 'BaseRefiner', 'DenseCRF', 'IRNLabel', 'PSALabel',
    'ThresholdLabel'
]

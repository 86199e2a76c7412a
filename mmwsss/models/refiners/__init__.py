# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from .background_crf import BackgroundCRF
from .base_refiner import BaseRefiner
from .dense_crf import CRF_PRESETS, DenseCRF
from .label_rules import IRNLabel, PSALabel, ThresholdLabel
from .pamr import PAMR
from .saliency_label import SaliencyLabel

__all__ = [
    'BackgroundCRF', 'BaseRefiner', 'CRF_PRESETS', 'DenseCRF', 'IRNLabel',
    'PAMR', 'PSALabel', 'SaliencyLabel', 'ThresholdLabel'
]

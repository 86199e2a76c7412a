# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from .aspp import ASPP
from .feature_reduction import FeatureReduction
from .global_cue_injection import GlobalCueInjection
from .norm_eval import keep_statistics
from .offset_conv import OffsetConv2d
from .stochastic_gate import StochasticGate

__all__ = [
    'ASPP', 'GlobalCueInjection', 'OffsetConv2d', 'StochasticGate', 'FeatureReduction',
    'keep_statistics'
]

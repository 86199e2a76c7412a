# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from .offset_conv import OffsetConv2d
from .tap_reduction import TapReduction

__all__ = ['OffsetConv2d', 'TapReduction']

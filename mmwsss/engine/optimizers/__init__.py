# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from .stepped_poly_lr import SteppedPolyLR
from .weak_optim_wrapper_constructor import WeakOptimWrapperConstructor

__all__ = ['SteppedPolyLR', 'WeakOptimWrapperConstructor']

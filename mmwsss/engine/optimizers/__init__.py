# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from .stepped_poly_lr import SteppedPolyLR

__all__ = ['SteppedPolyLR']

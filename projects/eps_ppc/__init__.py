# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from .eps_head import EPSHead
from .held_poly_lr import HeldPolyLR
from .ppc_eps_head import PPCEPSHead
from .ppc_head import PPCHead

__all__ = ['EPSHead', 'HeldPolyLR', 'PPCEPSHead', 'PPCHead']

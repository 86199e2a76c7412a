# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from .eps_head import EPSHead
from .ppc_eps_head import PPCEPSHead
from .ppc_head import PPCHead

__all__ = ['EPSHead', 'PPCEPSHead', 'PPCHead']

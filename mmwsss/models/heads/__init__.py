# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from .cam_head import CAMHead
from .esol_head import ESOLHead

__all__ = ['CAMHead', 'ESOLHead']

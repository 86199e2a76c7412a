# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from .cam_head import CAMHead
from .concat_aspp_head import ConcatASPPHead
from .esol_head import ESOLHead
from .large_fov_head import LargeFOVHead
from .summed_aspp_head import SummedASPPHead

__all__ = [
    'CAMHead', 'ConcatASPPHead', 'ESOLHead', 'LargeFOVHead', 'SummedASPPHead'
]

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from .affinity_head import AffinityHead
from .cam_head import CAMHead
from .concat_aspp_head import ConcatASPPHead
from .contour_head import ContourHead
from .displacement_head import DisplacementHead
from .esol_head import ESOLHead
from .large_fov_head import LargeFOVHead
from .ngwp_head import NGWPHead
from .seam_head import SEAMHead
from .summed_aspp_head import SummedASPPHead

__all__ = [
    'AffinityHead', 'CAMHead', 'ConcatASPPHead', 'ContourHead', 'DisplacementHead',
    'ESOLHead', 'LargeFOVHead', 'NGWPHead', 'SEAMHead', 'SummedASPPHead'
]

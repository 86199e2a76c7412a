# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from .formatting import ImageLabelsFromMask, PackWeakInputs
from .geometry import (
    PILRescale,
    RandomCropPad,
    RandomRescale,
    RandomResizeLong,
)
from .loading import LoadMask, LoadPILImage, LoadSaliency
from .seeding import SetRandomState
from .strong_view import StrongView

__all__ = [
    'ImageLabelsFromMask', 'LoadMask', 'LoadPILImage', 'LoadSaliency',
    'PackWeakInputs', 'PILRescale', 'RandomCropPad', 'RandomRescale',
    'RandomResizeLong', 'SetRandomState', 'StrongView'
]

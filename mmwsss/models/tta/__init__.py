# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from .cam_tta import CAMTTAModel

__all__ = ['CAMTTAModel']

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from .cam_tta import CAMTTAModel
from .logit_tta import LogitTTAModel

__all__ = ['CAMTTAModel', 'LogitTTAModel']

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from .inferencer import WSSSInferencer

__all__ = ['WSSSInferencer']

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from . import transforms  # noqa: F401
from .base import BaseWeakSegDataset
from .demo import DemoDataset, WeakDemoDataset
from .voc import WeakVOCDataset

__all__ = [
    'BaseWeakSegDataset', 'DemoDataset', 'WeakDemoDataset', 'WeakVOCDataset'
]

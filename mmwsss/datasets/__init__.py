# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from . import transforms  # noqa: F401
from .base import BaseWeakSegDataset
from .coco import COCOSegDataset, WeakCOCODataset
from .demo import DemoDataset, WeakDemoDataset
from .folder import WeakFolderDataset
from .shards import WeakShardDataset
from .voc import WeakVOCDataset

__all__ = [
    'BaseWeakSegDataset', 'COCOSegDataset', 'DemoDataset', 'WeakCOCODataset',
    'WeakDemoDataset', 'WeakFolderDataset', 'WeakShardDataset', 'WeakVOCDataset'
]

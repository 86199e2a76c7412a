# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from mmseg.datasets import PascalVOCDataset
from mmseg.registry import DATASETS

from .base import BaseWeakSegDataset


@DATASETS.register_module()
class WeakVOCDataset(BaseWeakSegDataset):
    """PASCAL VOC 2012 with image labels: 20 classes and background.

    The usual lists are ``train`` (1,464), ``train_aug`` (10,582, with SBD),
    ``val`` (1,449) and ``test`` (1,456, which has no labels).
    Arguments are those of :class:`BaseWeakSegDataset`.
    """
    METAINFO = PascalVOCDataset.METAINFO

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from mmseg.datasets import BaseSegDataset
from mmseg.registry import DATASETS

from .base import BaseWeakSegDataset
from .demo_scenes import CLASSES, PALETTE


@DATASETS.register_module()
class DemoDataset(BaseSegDataset):
    """The generated demo scenes with masks, or with pseudo labels.

    Made by ``tools/dataset_converters/make_demo_data.py``. Arguments are those
    of :class:`mmseg.datasets.BaseSegDataset`.
    """
    METAINFO = dict(classes=CLASSES, palette=PALETTE)


@DATASETS.register_module()
class WeakDemoDataset(BaseWeakSegDataset):
    """The generated demo scenes with image labels.

    Arguments are those of :class:`BaseWeakSegDataset`.
    """
    METAINFO = DemoDataset.METAINFO

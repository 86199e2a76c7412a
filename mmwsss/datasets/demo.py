# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from mmseg.datasets import BaseSegDataset
from mmseg.registry import DATASETS

from .base import BaseWeakSegDataset


@DATASETS.register_module()
class DemoDataset(BaseSegDataset):
    """The generated demo scenes with masks, or with pseudo labels.

    Made by ``tools/dataset_converters/make_demo_data.py``. Arguments are those
    of :class:`mmseg.datasets.BaseSegDataset`.
    """
    METAINFO = dict(
        classes=('background', 'ant', 'bee', 'beetle', 'ladybug', 'moth', 'wasp'),
        palette=[[0, 0, 0], [214, 84, 60], [240, 190, 40], [60, 160, 90],
                 [200, 60, 140], [80, 130, 220], [150, 100, 210]])


@DATASETS.register_module()
class WeakDemoDataset(BaseWeakSegDataset):
    """The generated demo scenes with image labels.

    Arguments are those of :class:`BaseWeakSegDataset`.
    """
    METAINFO = DemoDataset.METAINFO

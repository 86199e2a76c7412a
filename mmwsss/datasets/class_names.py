# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from mmseg.datasets import PascalVOCDataset

from mmwsss.utils import read_class_names

from .coco import COCO_CLASSES
from .demo import DemoDataset

KNOWN_CLASSES = dict(
    voc=PascalVOCDataset.METAINFO['classes'],
    coco=COCO_CLASSES,
    demo=DemoDataset.METAINFO['classes'])


def class_names(source: str) -> list[str]:
    """Return class names, background first.

    Args:
        source (str): ``'voc'``, ``'coco'``, ``'demo'``, or a text file of
            names, one a line.
    """
    if source in KNOWN_CLASSES:
        return list(KNOWN_CLASSES[source])
    return read_class_names(source)

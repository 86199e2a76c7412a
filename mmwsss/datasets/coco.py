# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import os
import os.path as osp
from collections.abc import Sequence

import numpy as np
from mmseg.datasets import BaseSegDataset
from mmseg.registry import DATASETS

from mmwsss.utils import check_unique, read_id_list

from .base import BaseWeakSegDataset
from .image_io import voc_palette

COCO_CLASSES = (
    'background', 'person', 'bicycle', 'car', 'motorcycle', 'airplane', 'bus',
    'train', 'truck', 'boat', 'traffic light', 'fire hydrant', 'stop sign',
    'parking meter', 'bench', 'bird', 'cat', 'dog', 'horse', 'sheep', 'cow',
    'elephant', 'bear', 'zebra', 'giraffe', 'backpack', 'umbrella', 'handbag',
    'tie', 'suitcase', 'frisbee', 'skis', 'snowboard', 'sports ball', 'kite',
    'baseball bat', 'baseball glove', 'skateboard', 'surfboard',
    'tennis racket', 'bottle', 'wine glass', 'cup', 'fork', 'knife', 'spoon',
    'bowl', 'banana', 'apple', 'sandwich', 'orange', 'broccoli', 'carrot',
    'hot dog', 'pizza', 'donut', 'cake', 'chair', 'couch', 'potted plant',
    'bed', 'dining table', 'toilet', 'tv', 'laptop', 'mouse', 'remote',
    'keyboard', 'cell phone', 'microwave', 'oven', 'toaster', 'sink',
    'refrigerator', 'book', 'clock', 'vase', 'scissors', 'teddy bear',
    'hair drier', 'toothbrush')
"""COCO's 80 object classes in the order of their sparse ids, and background."""

UNUSED_CATEGORY_IDS = (12, 26, 29, 30, 45, 66, 68, 69, 71, 83)
COCO_CATEGORY_IDS = dict(
    zip(COCO_CLASSES[1:],
        (i for i in range(1, 91) if i not in UNUSED_CATEGORY_IDS),
        strict=True))
"""The ids that COCO's annotations and its evaluation know the classes by."""


def coco_number(image_id: str) -> int:
    """Return the number in a COCO image id of either style.

    ``COCO_train2014_000000000009``, ``000000000009`` and ``9`` are all 9.

    Raises:
        ValueError: Naming the id, if it does not end in a number.
    """
    number = image_id.rsplit('_', 1)[-1]
    if not number.isdecimal():
        raise ValueError(f'expected a COCO image id such as '
                         f"'COCO_train2014_000000000009' or '9', got "
                         f'{image_id!r}')
    return int(number)


@DATASETS.register_module()
class COCOSegDataset(BaseSegDataset):
    """COCO 2014 with masks, or pseudo labels: 80 contiguous classes and
    background first.

    Lists hold the images' file names without suffix, as
    ``tools/dataset_converters/coco.py`` writes them. Arguments are those of
    :class:`mmseg.datasets.BaseSegDataset`.
    """
    METAINFO = dict(
        classes=COCO_CLASSES,
        palette=voc_palette(len(COCO_CLASSES)),
        category_ids=COCO_CATEGORY_IDS)


@DATASETS.register_module()
class WeakCOCODataset(BaseWeakSegDataset):
    """COCO 2014 with image labels: 80 contiguous classes and background.

    Lists and label tables may use either style of image ids, see
    :func:`coco_number`; ``img_id`` is the image's file name without suffix.
    Images without tags are allowed, as COCO has them. Other arguments are
    those of :class:`BaseWeakSegDataset`.

    Args:
        allow_empty (bool): Defaults to True.
    """
    METAINFO = COCOSegDataset.METAINFO

    def __init__(self, allow_empty: bool = True, **kwargs) -> None:
        super().__init__(allow_empty=allow_empty, **kwargs)

    def list_images(self) -> list[tuple[str, str]]:
        """Return (id, path) of each listed image, whatever the id's style."""
        folder = self.data_prefix['img_path']
        names = self._numbered(folder, self.img_suffix)
        images = []
        for image_id in read_id_list(self.ann_file):
            # A missing image keeps the listed id, for the error to name it.
            stem = names.get(coco_number(image_id), image_id)
            images.append((stem, osp.join(folder, stem + self.img_suffix)))
        check_unique([image_id for image_id, _ in images], self.ann_file)
        return images

    def load_labels(self, ids: Sequence[str]) -> dict[str, np.ndarray] | None:
        """Return the image labels by file name, whatever the id's style."""
        table = super().load_labels(ids)
        if table is None:
            return None
        check_unique([coco_number(key) for key in table], self.label_file)
        by_number = {coco_number(key): row for key, row in table.items()}
        numbers = {image_id: coco_number(image_id) for image_id in ids}
        return {
            image_id: by_number[number]
            for image_id, number in numbers.items() if number in by_number
        }

    def mask_path(self, image_id: str) -> str:
        """Return where the mask lies, named in either style."""
        return super().mask_path(
            self._named('seg_map_path', self.seg_map_suffix, image_id))

    def saliency_path(self, image_id: str) -> str:
        """Return where the saliency map lies, named in either style."""
        return super().saliency_path(
            self._named('saliency_path', '.png', image_id))

    def _named(self, prefix: str, suffix: str, image_id: str) -> str:
        """The name that a folder of ``data_prefix`` uses for an image."""
        if not hasattr(self, '_names'):
            self._names: dict[str, dict[int, str]] = {}
        if prefix not in self._names:
            self._names[prefix] = self._numbered(self.data_prefix[prefix],
                                                 suffix)
        return self._names[prefix].get(coco_number(image_id), image_id)

    @staticmethod
    def _numbered(folder: str, suffix: str) -> dict[int, str]:
        """Map the image numbers of a folder to file names without suffix."""
        if not osp.isdir(folder):
            raise FileNotFoundError(f'folder {folder} does not exist')
        names = {}
        for name in sorted(os.listdir(folder)):
            stem = name[:-len(suffix)]
            if name.endswith(suffix) and stem.rsplit('_', 1)[-1].isdecimal():
                names[coco_number(stem)] = stem
        return names

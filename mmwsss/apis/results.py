# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""The folder that results of images are written into."""

import os.path as osp
import re
from collections.abc import Sequence
from urllib.parse import quote

import numpy as np
from PIL import Image

from mmwsss.datasets.image_io import write_mask
from mmwsss.utils import atomic_write, read_json, write_json

RECORD = 'photos.json'
"""The file that says which image the results of each name are of."""


class ResultFolder:
    """A folder of results, in which no image takes another's place.

    ``photos.json`` says which image each name belongs to, before anything else is
    written. An image may be run again; another one of the same name is refused.

    Args:
        folder (str): The folder; it need not exist.
        images (Sequence[tuple]): Name and source of each image, as
            :func:`find_images` lists them. Arrays come from nowhere: they replace
            each other.

    Raises:
        ValueError: Naming both images, if results of one of the names are there,
            of another image; or naming ``photos.json``, if that is damaged.
    """

    def __init__(self, folder: str,
                 images: Sequence[tuple[str, str | np.ndarray]]) -> None:
        self.folder = folder
        record = osp.join(folder, RECORD)
        owners = _read_dict(record)
        for name, source in images:
            owner = osp.abspath(source) if isinstance(source, str) else ''
            mask = self._path('masks', f'{name}.png')
            if name not in owners and osp.exists(mask):
                raise ValueError(f'{mask} is there, and {record} does not say of '
                                 'which photo: write into another folder')
            if owners.setdefault(name, owner) != owner:
                raise ValueError(
                    f'{folder} holds results of {owners[name] or "an array"} as '
                    f'{name!r}, which {owner or "an array"} would replace: write '
                    'into another folder')
        write_json(record, owners)

    def write(self, result: dict, palette: Sequence[Sequence[int]]) -> None:
        """Write mask, overlay and class maps of an image."""
        name = result['name']
        write_mask(self._path('masks', f'{name}.png'), result['mask'], palette)
        _write_image(self._path('overlays', f'{name}.jpg'), result['overlay'])
        for label, cam in (result['cams'] or {}).items():
            _write_image(
                self._path('cams', name, f'{class_file_name(label)}.jpg'), cam)

    def write_scores(self, scores: dict[str, dict[str, float]]) -> None:
        """Add the class scores of images to ``scores.json``."""
        path = self._path('scores.json')
        write_json(path, {**_read_dict(path), **scores})

    def _path(self, *parts: str) -> str:
        return osp.join(self.folder, *parts)


def class_file_name(label: str) -> str:
    """The name of a class as a file's, different for different classes."""
    return re.sub(r'[^\w -]', lambda match: quote(match[0], safe=''), label)


def _read_dict(path: str) -> dict:
    found = read_json(path) if osp.exists(path) else {}
    if not isinstance(found, dict):
        raise ValueError(f'{path} holds no JSON object; move it away')
    return found


def _write_image(path: str, image: np.ndarray) -> None:
    with atomic_write(path) as file:
        Image.fromarray(image).save(file, 'JPEG', quality=90)

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""YOLO segmentation: of each image, a text file of polygons."""

import json
import os.path as osp
from collections.abc import Sequence

import numpy as np

from mmwsss.datasets.folder import find_images
from mmwsss.datasets.image_io import read_image_size
from mmwsss.utils import atomic_write, naming, read_text, write_lines

from .copying import copy_file
from .image_masks import AnnotationOptions, ImageMask, Labels, Masks
from .shapes import fill, outline, regions


def write_yolo(items: Sequence[ImageMask], labels: Labels, out: str,
               options: AnnotationOptions) -> None:
    """Write ``labels/train/<id>.txt`` and ``data.yaml``.

    A line is a class (from 0, without background) and the corners of its region
    as shares of width and height.
    """
    for item in items:
        height, width = item.size
        lines = []
        for label, region in regions(
                item.read(len(labels.classes)), options.min_pixels):
            points = outline(region, options.tolerance) / (width, height)
            lines.append(' '.join(
                [str(label - 1), *(f'{value:.6f}' for value in points.flatten())]))
        write_lines(osp.join(out, 'labels', 'train', f'{item.image_id}.txt'), lines)
        if options.copy_images:
            copy_file(item.path, osp.join(out, 'images', 'train', item.file_name))
    with atomic_write(osp.join(out, 'data.yaml'), 'w') as file:
        file.write('path: .\ntrain: images/train\nval: images/train\nnames:\n')
        for i, name in enumerate(labels.classes[1:]):
            # What JSON quotes, YAML reads.
            file.write(f'  {i}: {json.dumps(name, ensure_ascii=False)}\n')


def read_yolo(source: str, labels: Labels, images: str | None) -> Masks:
    """The masks of a folder as :func:`write_yolo` lays it out.

    Raises:
        ValueError: Also without ``images``: the files do not say their size.
    """
    if images is None:
        raise ValueError('labels of YOLO need the folder of photos, for their sizes')
    import yaml  # comes with mmengine
    path = osp.join(source, 'data.yaml')
    with naming(path):
        try:
            names = yaml.safe_load(read_text(path))['names']
            names = dict(enumerate(names)) if isinstance(names, list) else names
            # Lists by reference may be of any length when they are written out.
            if not all(isinstance(name, (str, int)) for name in names.values()):
                raise ValueError('it names classes by more than words')
            ids = {int(key): labels.id_of(str(name)) for key, name in names.items()}
        except (yaml.YAMLError, KeyError, TypeError, AttributeError,
                RecursionError) as error:
            raise ValueError(f'it names no classes: {error!r}') from error
    folders = [folder for folder in ('labels/train', 'labels/val', 'labels')
               if osp.isdir(osp.join(source, folder))]
    if not folders:
        raise FileNotFoundError(f'there is no folder {osp.join(source, "labels")}')
    for image_id, image in find_images(images).items():
        for folder in folders:
            path = osp.join(source, folder, f'{image_id}.txt')
            if osp.isfile(path):
                yield image_id, _read_mask(path, ids, read_image_size(image))
                break


def _read_mask(path: str, ids: dict[int, int], size: tuple[int, int]) -> np.ndarray:
    mask = np.zeros(size, np.uint8)
    for number, line in enumerate(read_text(path).splitlines(), 1):
        with naming(f'{path}, line {number}'):
            label, *values = line.split() or ['']
            if not label:
                continue
            points = np.array(list(map(float, values)))
            if len(points) % 2:
                raise ValueError('an odd number of coordinates')
            if int(label) not in ids:
                raise ValueError(f'class {label} is not in data.yaml')
            corners = points.reshape(-1, 2) * size[::-1]
            mask[fill([corners.flatten().tolist()], size)] = ids[int(label)]
    return mask

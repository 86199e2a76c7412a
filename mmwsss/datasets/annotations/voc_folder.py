# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""VOC's folders: palette masks, lists and, of each image, an XML file."""

import os.path as osp
from collections.abc import Sequence
from xml.etree import ElementTree

import numpy as np

from mmwsss.datasets.image_io import read_image, read_mask, write_mask
from mmwsss.utils import atomic_write, read_lines, walk_files, write_lines

from .copying import copy_file
from .image_masks import (
    AnnotationOptions,
    ImageMask,
    Labels,
    Masks,
    check_class_ids,
    id_of_file,
)
from .shapes import box_of, regions


def write_voc(items: Sequence[ImageMask], labels: Labels, out: str,
              options: AnnotationOptions) -> None:
    """Write ``SegmentationClass``, ``Annotations``, ``ImageSets`` and
    ``labelmap.txt``, by which CVAT and datumaro know the colours."""
    write_lines(osp.join(out, 'labelmap.txt'), [
        '# label:color_rgb:parts:actions',
        *(f'{name}:{",".join(map(str, color))}::'
          for name, color in zip(labels.classes, labels.palette, strict=True))])
    for item in items:
        mask = item.read(len(labels.classes))
        write_mask(osp.join(out, 'SegmentationClass', f'{item.image_id}.png'), mask,
                   labels.palette)
        root = ElementTree.Element('annotation')
        ElementTree.SubElement(root, 'filename').text = item.file_name
        height, width = item.size
        _add(root, 'size', height=height, width=width, depth=3)
        ElementTree.SubElement(root, 'segmented').text = '1'
        for label, region in regions(mask, options.min_pixels):
            left, top, width, height = box_of(region)
            entry = _add(root, 'object', name=labels.classes[label])
            # VOC counts pixels from 1.
            _add(entry, 'bndbox', xmin=left + 1, ymin=top + 1, xmax=left + width,
                 ymax=top + height)
        ElementTree.indent(root)
        with atomic_write(
                osp.join(out, 'Annotations', f'{item.image_id}.xml')) as file:
            ElementTree.ElementTree(root).write(file, encoding='utf-8')
        if options.copy_images:
            copy_file(item.path, osp.join(out, 'JPEGImages', item.file_name))
    write_lines(osp.join(out, 'ImageSets', 'Segmentation', 'train.txt'),
                [item.image_id for item in items])


def _add(parent: ElementTree.Element, tag: str, /, **texts) -> ElementTree.Element:
    """An element below another, with the elements of some texts in it."""
    part = ElementTree.SubElement(parent, tag)
    for name, text in texts.items():
        ElementTree.SubElement(part, name).text = str(text)
    return part


def read_voc(source: str, labels: Labels, images: str | None) -> Masks:
    """The masks of ``SegmentationClass``, or of a folder of PNGs.

    With a ``labelmap.txt`` classes are known by their colours, in whatever order
    they are; without one, by their ids.
    """
    folder = osp.join(source, 'SegmentationClass')
    folder = folder if osp.isdir(folder) else source
    if not osp.isdir(folder):
        raise FileNotFoundError(f'folder of masks {folder} does not exist')
    table = osp.join(source, 'labelmap.txt')
    colors = _read_colors(table, labels) if osp.isfile(table) else None
    for name in sorted(walk_files(folder)):
        if not name.lower().endswith('.png'):
            continue
        path = osp.join(folder, name)
        if colors is None:
            mask = read_mask(path)
        else:
            mask = _by_colors(path, colors)
        check_class_ids(mask, len(labels.classes), path)
        yield id_of_file(name), mask


def _read_colors(path: str, labels: Labels) -> dict[int, int]:
    """Class id by colour."""
    ids = {}
    for line in read_lines(path):
        if line.startswith('#') or not line.strip():
            continue
        # A name may hold colons, what follows it does not.
        try:
            name, color, *_ = line.rsplit(':', 3)
            red, green, blue = map(int, color.split(','))
        except ValueError as error:
            raise ValueError(f'{path}: no colour in {line!r}') from error
        ids[red << 16 | green << 8 | blue] = labels.id_of(name)
    # Borders, as VOC and write_mask draw them.
    return {224 << 16 | 224 << 8 | 192: 255, **ids}


def _by_colors(path: str, colors: dict[int, int]) -> np.ndarray:
    pixels = read_image(path, ignore_orientation=True).astype(np.int64)
    codes = pixels[..., 0] << 16 | pixels[..., 1] << 8 | pixels[..., 2]
    found, inverse = np.unique(codes, return_inverse=True)
    for code in found.tolist():
        if code not in colors:
            raise ValueError(f'mask {path} has the colour #{code:06x}, which '
                             'labelmap.txt does not name')
    table = np.array([colors[code] for code in found.tolist()], np.uint8)
    return table[inverse].reshape(codes.shape)

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""CVAT's own format, *CVAT for images 1.1*: one XML file."""

import os.path as osp
from collections.abc import Sequence
from xml.etree import ElementTree

import numpy as np

from mmwsss.utils import atomic_write, naming, read_text

from .image_masks import (
    AnnotationOptions,
    ImageMask,
    Labels,
    Masks,
    empty_mask,
    id_of_file,
)
from .shapes import box_of, fill, from_run_lengths, outline, regions, run_lengths


def write_cvat(items: Sequence[ImageMask], labels: Labels, out: str,
               options: AnnotationOptions) -> None:
    """Write ``annotations.xml``: masks or polygons, and tags as CVAT's tags."""
    root = ElementTree.Element('annotations')
    ElementTree.SubElement(root, 'version').text = '1.1'
    task = ElementTree.SubElement(ElementTree.SubElement(root, 'meta'), 'task')
    names = ElementTree.SubElement(task, 'labels')
    for name, color in labels.hex_colors().items():
        label = ElementTree.SubElement(names, 'label')
        ElementTree.SubElement(label, 'name').text = name
        ElementTree.SubElement(label, 'color').text = color
    for number, item in enumerate(items):
        height, width = item.size
        image = ElementTree.SubElement(
            root, 'image', id=str(number), name=item.file_name, width=str(width),
            height=str(height))
        for tag in item.tags or ():
            ElementTree.SubElement(image, 'tag', label=tag, source='manual')
        for label_id, region in regions(
                item.read(len(labels.classes)), options.min_pixels):
            common = dict(label=labels.classes[label_id], source='auto',
                          occluded='0', z_order='0')
            if options.polygons:
                points = outline(region, options.tolerance)
                ElementTree.SubElement(
                    image, 'polygon', common,
                    points=';'.join(f'{x:.2f},{y:.2f}' for x, y in points))
                continue
            left, top, columns, rows = box_of(region)
            part = region[top:top + rows, left:left + columns]
            ElementTree.SubElement(
                image, 'mask', common, left=str(left), top=str(top),
                width=str(columns), height=str(rows),
                rle=', '.join(map(str, run_lengths(part.ravel()))))
    ElementTree.indent(root)
    with atomic_write(osp.join(out, 'annotations.xml')) as file:
        ElementTree.ElementTree(root).write(
            file, encoding='utf-8', xml_declaration=True)


def read_cvat(source: str, labels: Labels, images: str | None) -> Masks:
    """The masks of an export as *CVAT for images 1.1*, by ``z_order``."""
    path = osp.join(source, 'annotations.xml') if osp.isdir(source) else source
    for image in parse_xml(path).iter('image'):
        with naming(path):
            try:
                mask = empty_mask(image.attrib['height'], image.attrib['width'])
                size = mask.shape[0], mask.shape[1]
                shapes = [shape for shape in image if shape.tag in ('mask', 'polygon')]
                for shape in sorted(shapes, key=lambda s: int(s.get('z_order', 0))):
                    label = labels.id_of(shape.attrib['label'])
                    mask[_region(shape, size)] = label
                yield id_of_file(image.attrib['name']), mask
            except KeyError as error:
                raise ValueError(f'an image or shape has no {error}') from error


def _region(shape: ElementTree.Element, size: tuple[int, int]) -> np.ndarray:
    if shape.tag == 'polygon':
        points = shape.attrib['points'].replace(';', ',').split(',')
        return fill([list(map(float, points))], size)
    left, top, width, height = (
        int(shape.attrib[key]) for key in ('left', 'top', 'width', 'height'))
    if min(left, top, width, height) < 0 or left + width > size[1] or (
            top + height > size[0]):
        raise ValueError(f'a mask leaves its image of {size[1]} x {size[0]} pixels')
    runs = list(map(int, shape.attrib['rle'].split(',')))
    region = np.zeros(size, bool)
    region[top:top + height, left:left + width] = from_run_lengths(
        runs, height * width).reshape(height, width)
    return region


def parse_xml(path: str) -> ElementTree.Element:
    """Read an XML file without entities, which can unpack to any size.

    Raises:
        ValueError: Naming the file, if it is no XML.
    """
    text = read_text(path)
    if '<!DOCTYPE' in text or '<!ENTITY' in text:
        raise ValueError(f'{path} declares entities, which are not read')
    try:
        # Nothing is declared, and nothing else of XML is dangerous.
        return ElementTree.fromstring(text.encode())  # noqa: S314
    except ElementTree.ParseError as error:
        raise ValueError(f'{path} is no whole XML file: {error}') from error

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Label Studio's tasks: one JSON file, with what is known as predictions."""

import os.path as osp
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree

import numpy as np

from mmwsss.utils import atomic_write, naming, read_json, write_json

from .image_masks import (
    AnnotationOptions,
    ImageMask,
    Labels,
    Masks,
    empty_mask,
    id_of_file,
)
from .shapes import fill, outline, regions, run_lengths

# Bits that tell the length of a run: a number of 2 bits chooses among them.
_LENGTH_BITS = (3, 4, 8, 16)
_CHANNELS = 4


def write_label_studio(items: Sequence[ImageMask], labels: Labels, out: str,
                       options: AnnotationOptions) -> None:
    """Write ``tasks.json``, to be imported, and ``label_config.xml``, the project's
    labelling interface: a brush (or polygons) and the tags as choices."""
    tasks = []
    for item in items:
        height, width = item.size
        common = dict(to_name='image', original_width=width, original_height=height,
                      image_rotation=0)
        mask = item.read(len(labels.classes))
        results: list[dict[str, Any]] = []
        if options.polygons:
            for label, region in regions(mask, options.min_pixels):
                points = outline(region, options.tolerance) / (width, height) * 100
                results.append(dict(
                    common, from_name='polygon', type='polygonlabels', value=dict(
                        points=points.round(4).tolist(), closed=True,
                        polygonlabels=[labels.classes[label]])))
        else:
            shown = sorted({label for label, _ in regions(mask, options.min_pixels)})
            for label in shown:
                results.append(dict(
                    common, from_name='mask', type='brushlabels', value=dict(
                        format='rle', rle=encode_brush(mask == label),
                        brushlabels=[labels.classes[label]])))
        if item.tags:
            results.append(dict(
                to_name='image', from_name='tags', type='choices',
                value=dict(choices=item.tags)))
        for number, result in enumerate(results):
            result['id'] = f'{number:08d}'
        tasks.append(dict(
            data=dict(image=options.url + item.file_name, id=item.image_id),
            predictions=[dict(model_version='mmwsss', result=results)]))
    write_json(osp.join(out, 'tasks.json'), tasks)
    with atomic_write(osp.join(out, 'label_config.xml')) as file:
        ElementTree.ElementTree(_interface(labels)).write(file, encoding='utf-8')


def read_label_studio(source: str, labels: Labels, images: str | None) -> Masks:
    """The masks of a JSON export: of each task the last annotation, else the
    prediction. What was drawn later lies over what was drawn before."""
    path = osp.join(source, 'tasks.json') if osp.isdir(source) else source
    tasks = read_json(path)
    with naming(path):
        if not isinstance(tasks, list):
            raise ValueError('it is no list of tasks')
        for number, task in enumerate(tasks, 1):
            with naming(f'{path}, task {number}'):
                try:
                    found = _read_task(task, labels)
                except (KeyError, TypeError, AttributeError, IndexError) as error:
                    raise ValueError(f'it is no task of Label Studio: {error!r}'
                                     ) from error
            if found is not None:
                yield found


def _read_task(task: dict, labels: Labels) -> tuple[str, np.ndarray] | None:
    data = task['data']
    image_id = data.get('id') or id_of_file(data['image'].rsplit('=', 1)[-1])
    answers = [answer for answer in task.get('annotations') or []
               if not answer.get('was_cancelled')] or task.get('predictions') or []
    if not answers:
        return None
    mask = None
    for result in answers[-1]['result']:
        kind = result['type']
        if kind not in ('brushlabels', 'polygonlabels'):
            continue
        if mask is None:
            mask = empty_mask(result['original_height'], result['original_width'])
        size = mask.shape[0], mask.shape[1]
        value = result['value']
        if kind == 'brushlabels':
            region = decode_brush(value['rle'], size)
        else:
            corners = np.array(value['points'], float) / 100 * size[::-1]
            region = fill([corners.flatten().tolist()], size)
        mask[region] = labels.id_of(value[kind][0])
    return None if mask is None else (str(image_id), mask)


def encode_brush(region: np.ndarray) -> list[int]:
    """A region as Label Studio packs its brushes: runs of RGBA values in bits."""
    bits = [f'{_CHANNELS * region.size:032b}', f'{8 - 1:05b}',
            *(f'{length - 1:04b}' for length in _LENGTH_BITS)]
    longest = 1 << _LENGTH_BITS[-1]
    for place, length in enumerate(run_lengths(region.ravel())):
        left, value = _CHANNELS * length, 255 * (place % 2)
        while left:
            run = min(left, longest)
            choice = next(i for i, size in enumerate(_LENGTH_BITS) if run <= 1 << size)
            bits.append(f'1{choice:02b}{run - 1:0{_LENGTH_BITS[choice]}b}{value:08b}')
            left -= run
    text = ''.join(bits)
    text += '0' * (-len(text) % 8)
    return list(int(text, 2).to_bytes(len(text) // 8, 'big'))


def decode_brush(packed: Sequence[int], size: tuple[int, int]) -> np.ndarray:
    """The region of a brush, bool ``(H, W)``: where its alpha is not 0.

    Raises:
        ValueError: If it is damaged or of another size.
    """
    data = bytes(packed)
    text = ''.join(f'{byte:08b}' for byte in data)
    place = 0

    def take(count: int) -> int:
        nonlocal place
        place += count
        if place > len(text):
            raise ValueError('a brush is cut off')
        return int(text[place - count:place], 2)

    count = take(32)
    if count != _CHANNELS * size[0] * size[1]:
        raise ValueError(f'a brush has {count} values, expected 4 a pixel of '
                         f'{size[1]} x {size[0]}')
    word = take(5) + 1
    lengths = [take(4) + 1 for _ in range(4)]
    values = np.zeros(count, np.uint8)
    filled = 0
    while filled < count:
        is_run = take(1)
        end = filled + 1 + take(lengths[take(2)])
        if end > count:
            raise ValueError('a brush is longer than it says')
        if is_run:
            values[filled:end] = take(word) > 0
        else:
            values[filled:end] = [take(word) > 0 for _ in range(end - filled)]
        filled = end
    return values.reshape(*size, _CHANNELS)[..., -1].astype(bool)


def _interface(labels: Labels) -> ElementTree.Element:
    view = ElementTree.Element('View')
    ElementTree.SubElement(view, 'Image', name='image', value='$image', zoom='true')
    for kind, name in (('BrushLabels', 'mask'), ('PolygonLabels', 'polygon')):
        part = ElementTree.SubElement(view, kind, name=name, toName='image')
        for label, color in labels.hex_colors().items():
            ElementTree.SubElement(part, 'Label', value=label, background=color)
    choices = ElementTree.SubElement(
        view, 'Choices', name='tags', toName='image', choice='multiple')
    for label in labels.classes[1:]:
        ElementTree.SubElement(choices, 'Choice', value=label)
    return view

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Tables of tags: class names of each image, as people write them."""

import csv
import io
import json
import os.path as osp
from array import array
from collections import Counter

from .io import naming
from .lists import check_image_ids
from .text import read_text

IMAGE_SUFFIXES = ('.bmp', '.gif', '.jfif', '.jpe', '.jpeg', '.jpg', '.png', '.tif',
                  '.tiff', '.webp')
"""Suffixes (lower case) that an image may have; of a GIF, the first picture counts."""
_SUFFIXES = frozenset(IMAGE_SUFFIXES)

_HEADERS = ('id', 'image', 'image_id', 'img', 'img_id', 'file', 'filename',
            'photo', 'path')


def strip_image_suffix(name: str) -> str:
    """Return the id of an image: its file name without the image suffix.

    Raises:
        ValueError: If the name has two of them (``a.png.jpg``): its id would be
            taken for another file's name.
    """
    stem = _without_suffix(name)
    if stem != name and _without_suffix(stem) != stem:
        raise ValueError(f'{name!r} has two image suffixes; rename the file')
    return stem


def _without_suffix(name: str) -> str:
    dot = name.rfind('.')
    if dot < 0 or name[dot:].lower() not in _SUFFIXES:
        return name
    # As osp.splitext, which takes longer: a name of nothing but a suffix has none.
    return name[:dot] if name[name.rfind('/', 0, dot) + 1:dot].strip('.') else name


def _unique_pairs(pairs: list[tuple]) -> dict:
    """Build a dict as ``json`` does, but refuse a key that comes twice."""
    result = dict(pairs)
    if len(result) < len(pairs):
        (key, _), = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f'duplicate id {key!r}')
    return result


def _read_json(path: str) -> dict[str, list[str]]:
    text = read_text(path, 'label table')
    try:
        table = json.loads(text, object_pairs_hook=_unique_pairs)
    except (ValueError, RecursionError) as error:
        raise ValueError(f'{path}: {error}') from error
    if not isinstance(table, dict):
        raise ValueError(f'{path}: expected an object {{id: [class names]}}, '
                         f'got {type(table).__name__}')
    named = {}
    for key, names in table.items():
        if not isinstance(names, list) or not all(
                isinstance(name, str) for name in names):
            raise ValueError(f'{path}: image {key!r}: expected a list of '
                             f'class names, got {names!r}')
        with naming(path):
            image_id = strip_image_suffix(key)
        if image_id in named:
            raise ValueError(f'{path}: duplicate id {image_id!r}')
        named[image_id] = names
    return named


def _read_csv(path: str) -> dict[str, list[str]]:
    reader = csv.reader(io.StringIO(read_text(path, 'label table')), strict=True)
    table: dict[str, list[str]] = {}
    lines = array('Q')  # in which each id stands
    known: dict[str, str] = {}  # a class is named a million times, and kept once
    may_be_header = True
    try:
        for cells in reader:
            key, *rest = cells or ['']
            key = key.strip()
            names = []
            for cell in rest:
                for name in cell.split(';'):
                    if name := name.strip():
                        names.append(known.setdefault(name, name))
            if not key and not any(map(str.strip, rest)):
                continue
            is_header = may_be_header and key.lower() in _HEADERS
            may_be_header = False
            if is_header:
                continue
            image_id = strip_image_suffix(key)
            if not image_id:
                raise ValueError(
                    f'the row has no image id: {[cell.strip() for cell in rest]}')
            if image_id in table:
                raise ValueError(f'duplicate id {image_id!r}, as in line '
                                 f'{lines[list(table).index(image_id)]}')
            table[image_id] = names
            lines.append(reader.line_num)
    except (csv.Error, ValueError) as error:
        raise ValueError(f'{path}, line {reader.line_num}: {error}') from error
    for mark in ('\t', ';'):
        if table and all(mark in key and not names for key, names in table.items()):
            raise ValueError(f'{path}: columns are separated by {mark!r}, expected '
                             "','")
    return table


def read_label_names(path: str) -> dict[str, list[str]]:
    """Read a label table as class names, whatever the classes are.

    Two forms are read. JSON (``.json``) is ``{image id: [class names]}``. CSV
    (``.csv``) has one image a row: the id, then its classes, in columns of
    their own or separated by ``;``; a header row is skipped. The id is the
    image's file name with or without its suffix.

    Args:
        path (str): The table.

    Returns:
        dict[str, list[str]]: Class names of each image id, in file order.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: Naming the file and the id, if the table is empty or
            malformed, or holds an id twice, or see
            :func:`check_image_ids`.
    """
    if not osp.isfile(path):
        raise FileNotFoundError(f'label table {path} does not exist')
    suffix = osp.splitext(path)[1].lower()
    if suffix not in ('.json', '.csv'):
        raise ValueError(f'label table {path}: expected a .json or .csv file')
    table = _read_json(path) if suffix == '.json' else _read_csv(path)
    if not table:
        raise ValueError(f'label table {path} is empty')
    check_image_ids(table, path)
    return table

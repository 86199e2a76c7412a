# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Tables of tags: class names of each image, as people write them."""

import csv
import io
import json
import os.path as osp

from .io import naming
from .lists import check_image_ids
from .text import read_text

IMAGE_SUFFIXES = ('.bmp', '.gif', '.jfif', '.jpe', '.jpeg', '.jpg', '.png', '.tif',
                  '.tiff', '.webp')
"""Suffixes (lower case) that an image may have; of a GIF, the first picture counts."""

_HEADERS = ('id', 'image', 'image_id', 'img', 'img_id', 'file', 'filename',
            'photo', 'path')


def strip_image_suffix(name: str) -> str:
    """Return the id of an image: its file name without the image suffix.

    Raises:
        ValueError: If the name has two of them (``a.png.jpg``): its id would be
            taken for another file's name.
    """
    stem, suffix = osp.splitext(name)
    if suffix.lower() not in IMAGE_SUFFIXES:
        return name
    if osp.splitext(stem)[1].lower() in IMAGE_SUFFIXES:
        raise ValueError(f'{name!r} has two image suffixes; rename the file')
    return stem


def _unique_pairs(pairs: list[tuple]) -> dict:
    """Build a dict as ``json`` does, but refuse a key that comes twice."""
    result = dict(pairs)
    if len(result) < len(pairs):
        seen = set()
        for key, _ in pairs:
            if key in seen:
                raise ValueError(f'duplicate id {key!r}')
            seen.add(key)
    return result


def _read_json_rows(path: str) -> list[tuple[str, list]]:
    text = read_text(path, 'label table')
    try:
        table = json.loads(text, object_pairs_hook=_unique_pairs)
    except (ValueError, RecursionError) as error:
        raise ValueError(f'{path}: {error}') from error
    if not isinstance(table, dict):
        raise ValueError(f'{path}: expected an object {{id: [class names]}}, '
                         f'got {type(table).__name__}')
    for key, names in table.items():
        if not isinstance(names, list) or not all(
                isinstance(name, str) for name in names):
            raise ValueError(f'{path}: image {key!r}: expected a list of '
                             f'class names, got {names!r}')
    return list(table.items())


def _read_csv_rows(path: str) -> list[tuple[str, list]]:
    reader = csv.reader(io.StringIO(read_text(path, 'label table')), strict=True)
    rows: list[tuple[str, list]] = []
    lines: dict[str, int] = {}
    may_be_header = True
    try:
        for cells in reader:
            key, *rest = [cell.strip() for cell in cells] or ['']
            if not key and not any(rest):
                continue
            is_header = may_be_header and key.lower() in _HEADERS
            may_be_header = False
            if is_header:
                continue
            image_id = strip_image_suffix(key)
            if not image_id:
                raise ValueError(f'the row has no image id: {rest}')
            if image_id in lines:
                raise ValueError(
                    f'duplicate id {image_id!r}, as in line {lines[image_id]}')
            lines[image_id] = reader.line_num
            rows.append((key, [name.strip() for cell in rest
                                    for name in cell.split(';') if name.strip()]))
    except (csv.Error, ValueError) as error:
        raise ValueError(f'{path}, line {reader.line_num}: {error}') from error
    for mark in ('\t', ';'):
        if rows and all(mark in key and not names for key, names in rows):
            raise ValueError(f'{path}: columns are separated by {mark!r}, expected '
                             "','")
    return rows


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
    rows = _read_json_rows(path) if suffix == '.json' else _read_csv_rows(path)
    table = {}
    for key, names in rows:
        with naming(path):
            image_id = strip_image_suffix(key)
        if image_id in table:
            raise ValueError(f'{path}: duplicate id {image_id!r}')
        table[image_id] = names
    if not table:
        raise ValueError(f'label table {path} is empty')
    check_image_ids(table, path)
    return table

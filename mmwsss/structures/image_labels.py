# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Image labels: a table of class names on disk, multi-hot vectors inside."""

import csv
import io
import json
import os.path as osp
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from mmwsss.utils import atomic_write, check_image_ids, naming, read_text

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


def encode_image_labels(names: Iterable[str],
                        classes: Sequence[str]) -> np.ndarray:
    """Turn class names into a multi-hot vector.

    Args:
        names (Iterable[str]): Names of the classes present.
        classes (Sequence[str]): All classes, background first.

    Returns:
        np.ndarray: uint8 of shape (num_classes,); background is always 1.

    Raises:
        ValueError: If a name is not among the classes.
    """
    index = {name: i for i, name in enumerate(classes)}
    labels = np.zeros(len(classes), dtype=np.uint8)
    labels[0] = 1
    for name in names:
        if name not in index:
            raise ValueError(f'unknown class {name!r}, expected one of '
                             f'{", ".join(classes)}')
        labels[index[name]] = 1
    return labels


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
            :func:`mmwsss.utils.check_image_ids`.
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


def load_label_table(path: str,
                     classes: Sequence[str],
                     ignored: Collection[str] = ()) -> dict[str, np.ndarray]:
    """Load a label table as multi-hot vectors.

    Args:
        path (str): JSON or CSV table, see :func:`read_label_names`.
        classes (Sequence[str]): All classes, background first.
        ignored (Collection[str]): Names that are left out silently, as when
            a data set is reduced to some of its classes. Defaults to ().

    Returns:
        dict[str, np.ndarray]: uint8 vector of shape (num_classes,) of each
        image id; background is always 1.

    Raises:
        ValueError: Naming the file, the id and the class, if a class is not
            known; also as :func:`read_label_names`.
    """
    table = {}
    for image_id, names in read_label_names(path).items():
        kept = [n for n in names if n in classes or n not in ignored]
        try:
            table[image_id] = encode_image_labels(kept, classes)
        except ValueError as error:
            raise ValueError(f'{path}: image {image_id!r}: {error}') from error
    return table


def save_label_table(path: str, table: Mapping[str, Iterable[str]]) -> None:
    """Write a label table as JSON, one image a line, atomically.

    Args:
        path (str): The ``.json`` file to write.
        table (Mapping[str, Iterable[str]]): Class names of each image id.

    Raises:
        ValueError: If an id is none, see :func:`mmwsss.utils.check_image_ids`.
    """
    check_image_ids(table, path)
    for key in table:
        if strip_image_suffix(key) != key:
            raise ValueError(f'{path}: the id {key!r} ends in an image suffix; '
                             'rename the image')
    lines = [
        f'{json.dumps(key, ensure_ascii=False)}: '
        f'{json.dumps(list(names), ensure_ascii=False)}'
        for key, names in table.items()
    ]
    with atomic_write(path, 'w') as file:
        file.write('{\n' + ',\n'.join(lines) + '\n}\n')


def stack_image_labels(data_samples: list,
                       num_classes: int | None = None,
                       device: torch.device | str | None = None) -> Tensor:
    """Stack the image labels of a batch, foreground only.

    Args:
        data_samples (list[:obj:`SegDataSample`]): With ``image_labels``.
        num_classes (int, optional): How many classes the labels must have,
            background included. Defaults to None: any number.
        device (torch.device, optional): Where to put the result.

    Returns:
        Tensor: Multi-hot float labels of shape (N, C - 1).

    Raises:
        ValueError: Naming the image, if a sample has no image labels or those of
            another number of classes.
    """
    rows = []
    for sample in data_samples:
        labels = _labels_of(sample.metainfo, num_classes)
        if labels is None:
            raise ValueError(
                f'{sample.metainfo.get("img_path")} has no image labels')
        rows.append(labels[1:])
    return torch.as_tensor(np.stack(rows), dtype=torch.float32, device=device)


def present_classes(metainfo: Mapping,
                    num_classes: int,
                    probabilities: Tensor | None = None,
                    score_thr: float | None = None) -> Tensor:
    """Which foreground classes a prediction of an image may show.

    Its image labels say so; without them, its class probabilities; without
    those, every class may be there.

    Args:
        metainfo (Mapping): Meta information of the image, perhaps with
            ``image_labels``.
        num_classes (int): All classes, background included.
        probabilities (Tensor, optional): Class probabilities of shape (C - 1,).
        score_thr (float, optional): What a probability has to exceed. Defaults
            to None: probabilities rule out no class.

    Returns:
        Tensor: Bool of shape (C - 1,), where the probabilities are.

    Raises:
        ValueError: Naming the image, if its labels are of another number of
            classes.
    """
    device = None if probabilities is None else probabilities.device
    labels = _labels_of(metainfo, num_classes)
    if labels is not None:
        return torch.as_tensor(labels[1:] > 0, device=device)
    if probabilities is not None and score_thr is not None:
        return probabilities > score_thr
    return torch.ones(num_classes - 1, dtype=torch.bool, device=device)


def _labels_of(metainfo: Mapping, num_classes: int | None) -> np.ndarray | None:
    labels = metainfo.get('image_labels')
    if labels is None:
        return None
    labels = np.asarray(labels)
    if num_classes not in (None, len(labels)):
        raise ValueError(
            f'{metainfo.get("img_path")} has image labels of {len(labels)} '
            f'classes, the model has num_classes={num_classes} (background '
            'included)')
    return labels

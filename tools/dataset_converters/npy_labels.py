# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Make a label table from cls_labels.npy, as PSA, IRN and others ship it.

The file is a pickled dict {id: 20 or 80 numbers}. Pickles can run code; this
tool lets them build numpy arrays and nothing else.

Example:
    python tools/dataset_converters/npy_labels.py cls_labels.npy \
        --classes voc --out data/VOCdevkit/VOC2012/image_labels.json
"""

if __name__ == '__main__':
    from mmwsss.ctrl_c import end_at_ctrl_c
    end_at_ctrl_c()

import argparse
import operator
from typing import Any, BinaryIO

import numpy as np

from mmwsss.utils.arguments import ToolParser
from mmwsss.utils.entry_point import run_tool


def _array_from_bytes(data: bytes, dtype: np.dtype, shape: tuple,
                      order: str) -> np.ndarray:
    """How pickles of protocol 5 carry an array."""
    return np.frombuffer(data, dtype=dtype).reshape(shape, order=order)


def _read_object_array(file: BinaryIO) -> Any:
    version = np.lib.format.read_magic(file)
    read_header = (
        np.lib.format.read_array_header_1_0
        if version == (1, 0) else np.lib.format.read_array_header_2_0)
    _, _, dtype = read_header(file)
    if not dtype.hasobject:
        raise ValueError(f'expected a pickled dict, got an array of {dtype}')
    from mmwsss.utils.checkpoint import numpy_globals, restricted_unpickler
    allowed = numpy_globals()
    for core in ('numpy.core', 'numpy._core'):
        allowed[f'{core}.numeric._frombuffer'] = _array_from_bytes
    return restricted_unpickler(allowed)(file, encoding='latin1').load()


def load_cls_labels(path: str) -> dict:
    """Read the dict of a ``cls_labels.npy`` without running its code.

    Args:
        path (str): The file.

    Returns:
        dict: A numpy vector of each image id (str or int).

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: Naming the file, if it holds anything but such a dict.
    """
    with open(path, 'rb') as file:
        try:
            content = _read_object_array(file)
        # A damaged pickle surfaces as any of a dozen exceptions.
        except Exception as error:
            raise ValueError(f'cannot read {path}: {error}') from error
    if isinstance(content, np.ndarray) and content.shape == ():
        content = content.item()
    if not isinstance(content, dict) or not content:
        raise ValueError(f'{path}: expected a dict of labels, got '
                         f'{type(content).__name__}')
    return content


def image_id_of(key: str | int) -> str:
    """Return the id of a key; IRN writes 2007_000032 as 2007000032."""
    if isinstance(key, str):
        return key
    key = operator.index(key)
    if 2000_000000 <= key <= 2100_000000:
        return f'{key // 1000000}_{key % 1000000:06d}'
    return str(key)


def labels_to_names(labels: dict, classes: list[str],
                    path: str) -> dict[str, list[str]]:
    """Turn the vectors of ``cls_labels.npy`` into class names.

    Args:
        labels (dict): A vector of ``len(classes) - 1`` numbers of each id.
        classes (list[str]): All classes, background first.
        path (str): The file, for messages.

    Raises:
        ValueError: Naming the file and the id, if a vector has the wrong
            length or an id comes twice.
    """
    table = {}
    for key, vector in labels.items():
        try:
            image_id = image_id_of(key)
        except TypeError as error:
            raise ValueError(f'{path}: {key!r} is no image id, expected a name or '
                             'a whole number') from error
        vector = np.asarray(vector).ravel()
        if vector.dtype.kind not in 'biuf' or not np.isfinite(vector).all():
            raise ValueError(f'{path}: image {image_id!r}: expected numbers, got '
                             f'{vector.dtype} or what is not finite')
        if len(vector) != len(classes) - 1:
            raise ValueError(
                f'{path}: image {image_id!r}: expected {len(classes) - 1} '
                f'numbers, one a foreground class, got {len(vector)}')
        if image_id in table:
            raise ValueError(f'{path}: duplicate id {image_id!r}')
        table[image_id] = [classes[i + 1] for i in np.flatnonzero(vector > 0)]
    return table


def parse_args() -> argparse.Namespace:
    parser = ToolParser(__doc__)
    parser.add_argument('npy', help='cls_labels.npy')
    parser.add_classes(required=True)
    parser.add_argument('--out', required=True, help='JSON table to write')
    return parser.parse_args()


def main(args: argparse.Namespace) -> None:
    from mmwsss.datasets.class_names import class_names
    from mmwsss.structures import save_label_table
    table = labels_to_names(
        load_cls_labels(args.npy), class_names(args.classes), args.npy)
    save_label_table(args.out, table)
    print(f'{args.out}: {len(table)} images, '
          f'{sum(map(len, table.values()))} tags')


if __name__ == '__main__':
    run_tool(parse_args, main)

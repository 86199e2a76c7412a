# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Lists of ids and class names in text files."""

import os.path as osp
from collections.abc import Sequence


def read_id_list(path: str, kind: str = 'image list') -> list[str]:
    """Read a list of image ids, one a line.

    Args:
        path (str): A text file; blank lines are skipped.
        kind (str): What errors call the file. Defaults to 'image list'.

    Returns:
        list[str]: The ids in file order.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: Naming the file, if it lists nothing or an id twice.
    """
    if not osp.isfile(path):
        raise FileNotFoundError(f'{kind} {path} does not exist')
    with open(path, encoding='utf-8') as file:
        ids = [line.strip() for line in file]
    ids = [image_id for image_id in ids if image_id]
    if not ids:
        raise ValueError(f'{kind} {path} is empty')
    check_unique(ids, path)
    return ids


def check_unique(ids: Sequence[str], source: str) -> None:
    """Raise a ValueError naming ``source`` and an id that comes twice."""
    seen = set()
    for image_id in ids:
        if image_id in seen:
            raise ValueError(f'{source}: duplicate id {image_id!r}')
        seen.add(image_id)


def read_class_names(path: str) -> list[str]:
    """Read class names, one a line, and put background first."""
    return with_background(read_id_list(path, 'class list'))


def with_background(names: Sequence[str]) -> list[str]:
    """Put ``'background'`` before the class names, once."""
    return ['background', *(n for n in names if n != 'background')]

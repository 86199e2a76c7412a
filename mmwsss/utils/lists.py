# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Lists of image ids and class names."""

import re
import unicodedata
from collections.abc import Iterable, Sequence

from .text import read_lines

MAX_CLASSES = 255
"""Masks have 8 bits, and 255 is ignored."""

# File names have 255 bytes at most. Ours add a suffix, and while they are
# written ``.``, eight random letters and ``.tmp``.
_MAX_NAME_BYTES = 255 - len('.') - len('.npz') - len('.12345678.tmp')

# What nearly all ids of a list of millions are; the others are looked at closely.
_PLAIN_ID = re.compile(r'[\w-][\w.-]*(?:/[\w-][\w.-]*)*', re.ASCII)


def read_id_list(path: str) -> list[str]:
    """Read a list of image ids, one a line.

    Args:
        path (str): A text file, see :func:`read_lines`.

    Returns:
        list[str]: The ids in file order.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: Naming the file, if it lists nothing, or see
            :func:`check_image_ids`.
    """
    ids = read_lines(path, 'image list')
    check_image_ids(ids, path)
    return ids


def check_image_ids(ids: Iterable[str], source: str) -> None:
    """Refuse ids that cannot name a file below any folder.

    Seeds, masks and pictures of an image are written to ``<folder>/<id>.<suffix>``.
    An id is a relative path with ``/`` that stays below its folder, fits into
    a file name with what we add, and differs from all others also where case
    does not count.

    Args:
        ids (Iterable[str]): The ids.
        source (str): Where they come from, for errors.

    Raises:
        ValueError: Naming ``source`` and the id.
    """
    ids = list(ids)
    for image_id in ids:
        if len(image_id) > _MAX_NAME_BYTES or not _PLAIN_ID.fullmatch(image_id):
            reason = _why_no_id(image_id)
            if reason:
                raise ValueError(f'{source}: image id {image_id!r} {reason}')
    if len(set(map(id_without_case, ids))) == len(ids):
        return
    seen: dict[str, str] = {}
    for image_id in ids:
        key = id_without_case(image_id)
        if key not in seen:
            seen[key] = image_id
        elif seen[key] == image_id:
            raise ValueError(f'{source}: duplicate id {image_id!r}')
        else:
            raise ValueError(
                f'{source}: the ids {seen[key]!r} and {image_id!r} are one where '
                'case or the form of accents does not count; rename one')


def id_without_case(image_id: str) -> str:
    """What ids share that some file systems take for one."""
    if not image_id.isascii():
        return unicodedata.normalize('NFC', image_id).casefold()
    key = image_id.lower()
    # The same string, where it can be, takes no memory.
    return image_id if key == image_id else key


def _why_no_id(image_id: str) -> str:
    if not image_id:
        return 'is empty'
    if image_id != image_id.strip() or image_id.startswith('#'):
        return "begins with '#' or has a space at an end; lists leave that out"
    if '\\' in image_id:
        return "has a backslash; folders are written with '/'"
    if _has_control(image_id):
        return 'has a control character'
    parts = image_id.split('/')
    if image_id.startswith('/') or parts[0][1:] == ':':
        return 'is an absolute path; expected one relative to the image folder'
    if any(part in ('', '.', '..') for part in parts):
        return "has an empty part, '.' or '..'; expected a plain relative path"
    if any(len(part.encode()) > _MAX_NAME_BYTES for part in parts):
        return f'has a name longer than {_MAX_NAME_BYTES} bytes'
    return ''


def _has_control(text: str) -> bool:
    if text.isascii():
        # The same, for lists of millions.
        return not text.isprintable()
    return any(unicodedata.category(letter) in ('Cc', 'Cs') for letter in text)


def check_unique(keys: Sequence, source: str) -> None:
    """Raise a ValueError naming ``source`` and a key that comes twice."""
    seen = set()
    for key in keys:
        if key in seen:
            raise ValueError(f'{source}: duplicate id {key!r}')
        seen.add(key)


def read_class_names(path: str) -> list[str]:
    """Read class names, one a line, see :func:`read_lines`; background comes
    first and may be left out."""
    return with_background(read_lines(path, 'class list'), path)


def with_background(names: Iterable[str], source: str = 'classes') -> list[str]:
    """Class names with ``'background'`` first, once.

    Args:
        names (Iterable[str]): Class names; background, in any case, is the
            first or missing.
        source (str): Where they come from, for errors. Defaults to 'classes'.

    Raises:
        ValueError: Naming ``source`` and the name, if background comes later,
            since masks would mean other classes; if a name comes twice, also in
            another case; if a name is empty or no string; or if there are more
            than masks can hold.
    """
    names = list(names)
    for position, name in enumerate(names):
        if not isinstance(name, str):
            raise ValueError(f'{source}: the name {name!r} at position {position} is '
                             f'no string; write {str(name)!r} in quotes')
    names = [name.strip() for name in names]
    if names and names[0].casefold() == 'background':
        names = names[1:]
    seen: dict[str, str] = {}
    for position, name in enumerate(names, 1):
        key = unicodedata.normalize('NFC', name).casefold()
        if not key:
            raise ValueError(f'{source}: class {position} has no name')
        if name.startswith('#') or _has_control(name):
            raise ValueError(
                f'{source}: the name {name!r} of class {position} begins with '
                "'#' or has a line break, which lists cannot hold")
        if key == 'background':
            raise ValueError(
                f'{source}: {name!r} is class {position}; background is class 0: '
                'put it first or leave it out')
        if key in seen:
            raise ValueError(f'{source}: {seen[key]!r} and {name!r} are the same '
                             'class; each comes once')
        seen[key] = name
    if len(names) >= MAX_CLASSES:
        raise ValueError(
            f'{source}: {len(names)} classes and background do not fit into masks '
            f'of 8 bits, which hold {MAX_CLASSES - 1} and background')
    return ['background', *names]

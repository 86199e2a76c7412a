# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Which files of a folder are images."""

import os
import os.path as osp
from collections import Counter
from collections.abc import Iterable, Mapping

from .io import naming
from .label_table import IMAGE_SUFFIXES, strip_image_suffix
from .lists import check_image_ids
from .paths import walk_all


def sort_files(folder: str) -> tuple[dict[str, str], dict[str, str]]:
    """The images below a folder by their ids, and its other files.

    Args:
        folder (str): Searched recursively, behind links too. Suffixes are those of
            ``IMAGE_SUFFIXES`` in any case.

    Returns:
        tuple[dict[str, str], dict[str, str]]: Path of each image by its id, which
        is the path below ``folder`` without suffix, with ``/``, sorted; and the
        kind of each other file by its path: its suffix, or why it is left out, see
        :func:`walk_all`.

    Raises:
        FileNotFoundError: If there is no such folder.
        ValueError: If two images have the same id.
    """
    if not osp.isdir(folder):
        raise FileNotFoundError(f'image folder {folder} does not exist')
    named: list[tuple[str, str]] = []
    others: dict[str, str] = {}
    for name, reason in walk_all(folder):
        path = osp.join(folder, name)
        kind = reason or unused_suffix(name)
        if kind:
            others[path] = kind
        else:
            named.append((name, path))
    return dict(sorted(paths_by_id(named, folder).items())), others


def paths_by_id(named: Iterable[tuple[str, str]], source: str) -> dict[str, str]:
    """The path of each image by its id.

    Args:
        named (Iterable[tuple[str, str]]): What each image is called, with suffix, and
            its path.
        source (str): Where they come from, for errors.

    Raises:
        ValueError: Naming the images, if two have the same id, or one cannot name a
            file, see :func:`check_image_ids`.
    """
    images: dict[str, str] = {}
    with naming(source):
        for name, path in named:
            image_id = strip_image_suffix(name.replace(os.sep, '/'))
            if image_id in images:
                raise ValueError(f'duplicate id {image_id!r}: {images[image_id]} and '
                                 f'{path}')
            images[image_id] = path
    check_image_ids(images, source)
    return images


def describe_unused(others: Mapping[str, str], most: int = 10) -> str:
    """Say in a line which files are not used, why, and what to do.

    Args:
        others (Mapping[str, str]): The kind of each by its path, at least one, as
            :func:`sort_files` tells it.
        most (int): So many are named, one of each kind first, and the
            others counted. Defaults to 10.
    """
    counts = Counter(others.values())
    kinds = ', '.join(f'{count} {kind}' for kind, count in counts.most_common())
    firsts: dict[str, str] = {}
    for path, kind in others.items():
        firsts.setdefault(kind, path)
    named = list(dict.fromkeys([*firsts.values(), *others]))[:most]
    more = len(others) - len(named)
    return (f'{len(others)} files are not used ({kinds}): {", ".join(named)}'
            f'{f" and {more} more" if more else ""}. Images are visible regular files '
            f'that end in {", ".join(IMAGE_SUFFIXES)}; convert or rename others')


def unused_suffix(path: str) -> str:
    """The suffix of a file by which it is no image; '' if it may be one."""
    suffix = osp.splitext(path)[1].lower()
    return '' if suffix in IMAGE_SUFFIXES else suffix or 'no suffix'

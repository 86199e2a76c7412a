# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Which files of a folder are images."""

import os
import os.path as osp
from collections import Counter
from collections.abc import Sequence

from .io import naming
from .label_table import IMAGE_SUFFIXES, strip_image_suffix
from .lists import check_image_ids
from .paths import walk_files


def sort_files(folder: str) -> tuple[dict[str, str], list[str]]:
    """The images below a folder by their ids, and its other files.

    Args:
        folder (str): Searched recursively, behind links too; hidden files and
            folders are skipped. Suffixes are those of ``IMAGE_SUFFIXES`` in any
            case.

    Returns:
        tuple[dict[str, str], list[str]]: Path of each image by its id, which is
        the path below ``folder`` without suffix, with ``/``, sorted; and the paths
        of the other files.

    Raises:
        FileNotFoundError: If there is no such folder.
        ValueError: If two images have the same id.
    """
    if not osp.isdir(folder):
        raise FileNotFoundError(f'image folder {folder} does not exist')
    images: dict[str, str] = {}
    others = []
    for name in walk_files(folder):
        path = osp.join(folder, name)
        if osp.splitext(name)[1].lower() not in IMAGE_SUFFIXES:
            others.append(path)
            continue
        with naming(folder):
            image_id = strip_image_suffix(name.replace(os.sep, '/'))
        if image_id in images:
            raise ValueError(f'duplicate id {image_id!r}: '
                             f'{images[image_id]} and {path}')
        images[image_id] = path
    check_image_ids(images, folder)
    return dict(sorted(images.items())), others


def describe_unused(paths: Sequence[str]) -> str:
    """Say in a line which files are no images, by suffix, and what to do."""
    suffixes = Counter(
        osp.splitext(path)[1].lower() or 'no suffix' for path in paths)
    kinds = ', '.join(f'{count} {suffix}' for suffix, count in
                      suffixes.most_common())
    return (f'{len(paths)} files are not used ({kinds}; the first is '
            f'{paths[0]}): images end in {", ".join(IMAGE_SUFFIXES)}; convert '
            'others')

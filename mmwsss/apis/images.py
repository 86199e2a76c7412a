# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import glob
import logging
import os
import os.path as osp
from collections.abc import Iterator, Sequence
from itertools import takewhile

import numpy as np
from mmengine.logging import print_log

from mmwsss.datasets import folder
from mmwsss.utils import check_image_ids
from mmwsss.utils.image_files import describe_unused, unused_suffix

ImageLike = str | os.PathLike | np.ndarray


def find_images(
        inputs: ImageLike | Sequence[ImageLike]) -> list[tuple[str, str | np.ndarray]]:
    """List images by name.

    Args:
        inputs (str | np.ndarray | Sequence): A file, a folder (searched as
            :func:`mmwsss.datasets.folder.find_images` does), a glob pattern, an RGB
            array, or a list of these.

    Returns:
        list[tuple[str, str | np.ndarray]]: Each image's name and its path or array,
        in the order of ``inputs`` and sorted within a folder or a pattern. The name
        is the path without suffix: below the folder, or below the part of a pattern
        before its first wildcard; of a file, its stem; ``photo_<i>`` for an array.

    Raises:
        FileNotFoundError: If a path does not exist or a pattern matches no image.
        ValueError: If a folder or a list holds no image, or naming both, if two
            images share a name, since their results would overwrite each other.
        TypeError: If an input is neither a path nor an array.
    """
    named: dict[str, str | np.ndarray] = {}
    for i, (name, source) in enumerate(_expand(inputs)):
        name = name or f'photo_{i}'
        if name in named:
            raise ValueError(f'two images are called {name!r}: {named[name]} and '
                             f'{source}; rename one, or pass them separately')
        named[name] = source
    if not named:
        raise ValueError('the list of images is empty')
    check_image_ids(named, 'the photos')
    return list(named.items())


def _expand(inputs) -> Iterator[tuple[str, str | np.ndarray]]:
    """Name and source of each image; arrays have no name."""
    if isinstance(inputs, np.ndarray):
        yield '', inputs
    elif isinstance(inputs, (list, tuple)):
        for item in inputs:
            yield from _expand(item)
    elif not isinstance(inputs, (str, os.PathLike)):
        raise TypeError('an image must be a path or an RGB array, got '
                        f'{type(inputs).__name__}')
    elif osp.isdir(path := os.fspath(inputs)):
        yield from folder.find_images(path).items()
    elif osp.isfile(path):
        yield osp.splitext(osp.basename(path))[0], path
    else:
        yield from _match(path)


def _match(pattern: str) -> Iterator[tuple[str, str]]:
    """The images of a glob pattern."""
    matches = sorted(filter(osp.isfile, glob.glob(pattern, recursive=True)))
    images = [path for path in matches if not unused_suffix(path)]
    if others := {path: kind for path in matches if (kind := unused_suffix(path))}:
        print_log(f'{pattern}: {describe_unused(others)}', logger='current',
                  level=logging.WARNING)
    if not images:
        raise FileNotFoundError(f'there is no image, folder or pattern {pattern}')
    parts = takewhile(lambda part: not glob.has_magic(part), pattern.split(os.sep))
    root = os.sep.join(parts) or (os.sep if osp.isabs(pattern) else os.curdir)
    for path in images:
        name = osp.relpath(path, root).replace(os.sep, '/')
        yield osp.splitext(name)[0], path

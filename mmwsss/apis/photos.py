# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import glob
import os
import os.path as osp
from collections.abc import Sequence

import numpy as np

from mmwsss.structures import PHOTO_SUFFIXES

Photo = str | os.PathLike | np.ndarray


def find_photos(
        inputs: Photo | Sequence[Photo]) -> list[tuple[str, str | np.ndarray]]:
    """List photos by name.

    Args:
        inputs (str | np.ndarray | Sequence): A file, a folder (its photos, not
            those of subfolders), a glob pattern, an RGB array, or a list of
            these.

    Returns:
        list[tuple[str, str | np.ndarray]]: Each photo's name (the file's stem,
        or ``photo_<i>`` for an array) and its path or array, in the order of
        ``inputs`` and sorted within a folder or a pattern.

    Raises:
        FileNotFoundError: If a path does not exist or a pattern matches nothing.
        ValueError: If a folder or a list holds no photo, or two photos share a
            name, since their results would overwrite each other.
        TypeError: If an input is neither a path nor an array.
    """
    sources = _expand(inputs)
    if not sources:
        raise ValueError('the list of photos is empty')
    named = {}
    for i, source in enumerate(sources):
        if isinstance(source, np.ndarray):
            name = f'photo_{i}'
        else:
            name = osp.splitext(osp.basename(source))[0]
        if name in named:
            raise ValueError(f'two photos are called {name!r}: {named[name]} and '
                             f'{source}; rename one, or pass them separately')
        named[name] = source
    return list(named.items())


def _expand(inputs) -> list[str | np.ndarray]:
    if isinstance(inputs, np.ndarray):
        return [inputs]
    if isinstance(inputs, (list, tuple)):
        return [source for item in inputs for source in _expand(item)]
    if not isinstance(inputs, (str, os.PathLike)):
        raise TypeError('a photo must be a path or an RGB array, got '
                        f'{type(inputs).__name__}')
    path = os.fspath(inputs)
    if osp.isdir(path):
        photos = sorted(
            entry.path for entry in os.scandir(path)
            if entry.is_file() and entry.name.lower().endswith(PHOTO_SUFFIXES))
        if not photos:
            raise ValueError(
                f'the folder {path} holds no photo ({", ".join(PHOTO_SUFFIXES)})')
        return photos
    if osp.isfile(path):
        return [path]
    matches = sorted(filter(osp.isfile, glob.glob(path)))
    if not matches:
        raise FileNotFoundError(f'there is no photo, folder or pattern {path}')
    return matches

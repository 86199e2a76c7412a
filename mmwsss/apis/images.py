# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import glob
import os
import os.path as osp
from collections.abc import Sequence

import numpy as np

from mmwsss.structures import IMAGE_SUFFIXES

ImageLike = str | os.PathLike | np.ndarray


def find_images(
        inputs: ImageLike | Sequence[ImageLike]) -> list[tuple[str, str | np.ndarray]]:
    """List images by name.

    Args:
        inputs (str | np.ndarray | Sequence): A file, a folder (its images, not
            those of subfolders), a glob pattern, an RGB array, or a list of
            these.

    Returns:
        list[tuple[str, str | np.ndarray]]: Each image's name (the file's stem,
        or ``photo_<i>`` for an array) and its path or array, in the order of
        ``inputs`` and sorted within a folder or a pattern.

    Raises:
        FileNotFoundError: If a path does not exist or a pattern matches nothing.
        ValueError: If a folder or a list holds no image, or two images share a
            name, since their results would overwrite each other.
        TypeError: If an input is neither a path nor an array.
    """
    sources = _expand(inputs)
    if not sources:
        raise ValueError('the list of images is empty')
    named: dict[str, str | np.ndarray] = {}
    for i, source in enumerate(sources):
        if isinstance(source, np.ndarray):
            name = f'photo_{i}'
        else:
            name = osp.splitext(osp.basename(source))[0]
        if name in named:
            raise ValueError(f'two images are called {name!r}: {named[name]} and '
                             f'{source}; rename one, or pass them separately')
        named[name] = source
    return list(named.items())


def _expand(inputs) -> Sequence[str | np.ndarray]:
    if isinstance(inputs, np.ndarray):
        return [inputs]
    if isinstance(inputs, (list, tuple)):
        return [source for item in inputs for source in _expand(item)]
    if not isinstance(inputs, (str, os.PathLike)):
        raise TypeError('an image must be a path or an RGB array, got '
                        f'{type(inputs).__name__}')
    path = os.fspath(inputs)
    if osp.isdir(path):
        images = sorted(
            entry.path for entry in os.scandir(path)
            if entry.is_file() and entry.name.lower().endswith(IMAGE_SUFFIXES))
        if not images:
            raise ValueError(
                f'the folder {path} holds no image ({", ".join(IMAGE_SUFFIXES)})')
        return images
    if osp.isfile(path):
        return [path]
    matches = sorted(filter(osp.isfile, glob.glob(path)))
    if not matches:
        raise FileNotFoundError(f'there is no image, folder or pattern {path}')
    return matches

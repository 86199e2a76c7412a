# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Where the tools, configs and demos are, and what folders hold."""

import os
import os.path as osp
from collections.abc import Iterator

_PACKAGE = osp.dirname(osp.dirname(osp.abspath(__file__)))


def project_path(*parts: str) -> str:
    """Return the path of a file that lies outside the package in a checkout.

    A checkout holds ``configs/``, ``tools/`` and ``demo/`` beside the package;
    an install from a wheel holds them in ``mmwsss/.mim/``. The checkout wins,
    so that an edit is seen even where an old ``.mim`` is left.

    Args:
        *parts (str): The path below the project root, by parts, for example
            ``'tools', 'train.py'``.

    Returns:
        str: The absolute path.

    Raises:
        FileNotFoundError: If it exists in neither place.
    """
    candidates = [
        osp.join(root, *parts)
        for root in (osp.dirname(_PACKAGE), osp.join(_PACKAGE, '.mim'))
        if osp.isfile(osp.join(root, 'model-index.yml'))
    ]
    for path in candidates:
        if osp.exists(path):
            return path
    raise FileNotFoundError(
        f'{osp.join(*parts)} is not part of this mmwsss, looked for: '
        f'{", ".join(candidates) or "no checkout and no .mim folder found"}')


def walk_files(folder: str) -> Iterator[str]:
    """The files below a folder, those behind links too.

    Hidden files and folders are left out: unfinished files have hidden names
    (see :func:`atomic_write`). A link to a folder that it lies in is not
    followed.

    Args:
        folder (str): The folder.

    Yields:
        str: Paths relative to it, sorted within each folder.
    """
    yield from _walk(folder, '', ())


def _walk(root: str, below: str, above: tuple[str, ...]) -> Iterator[str]:
    here = osp.join(root, below)
    real = osp.realpath(here)
    if real in above:
        return
    names = sorted(name for name in os.listdir(here) if not name.startswith('.'))
    folders = [name for name in names if osp.isdir(osp.join(here, name))]
    yield from (osp.join(below, name) for name in names if name not in folders)
    for name in folders:
        yield from _walk(root, osp.join(below, name), (*above, real))

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Where the tools, configs and demos are, and what folders hold."""

import os
import os.path as osp
import shutil
from collections.abc import Iterator

from .text import read_text

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


def follow_checkpoint(path: str) -> str:
    """What a ``last_checkpoint`` file names; other strings as they are."""
    if osp.basename(path) != 'last_checkpoint' or not osp.isfile(path):
        return path
    # The folder may have been moved since.
    name = osp.basename(read_text(path, 'record').strip())
    return osp.join(osp.dirname(path), name)


def set_aside(path: str, previous: str) -> None:
    """Move a file, or a folder that is not empty, out of the way of a new one.

    Args:
        path (str): The file or folder; it need not exist.
        previous (str): Its new path. What was set aside there before is removed.
    """
    if osp.isfile(path) or osp.isdir(path) and os.listdir(path):
        shutil.rmtree(previous, ignore_errors=True)
        os.makedirs(osp.dirname(osp.abspath(previous)), exist_ok=True)
        os.replace(path, previous)


def walk_files(folder: str) -> Iterator[str]:
    """The regular files below a folder, those behind links too.

    Hidden files and folders are left out: unfinished files have hidden names
    (see :func:`atomic_write`). So is what cannot be read: links that lead nowhere,
    and pipes, sockets and devices, which may never end. A link to a folder that it
    lies in is not followed.

    Args:
        folder (str): The folder.

    Yields:
        str: Paths relative to it, sorted within each folder.
    """
    return (path for path, reason in _walk(folder, '', ()) if not reason)


def walk_all(folder: str) -> Iterator[tuple[str, str]]:
    """As :func:`walk_files`, with what that leaves out.

    Args:
        folder (str): The folder.

    Yields:
        tuple[str, str]: Path, and why it is left out, in a few words; '' for files
        that are not. Hidden folders come as one, with ``/`` at the end.
    """
    return _walk(folder, '', ())


def _walk(root: str, below: str, above: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    here = osp.join(root, below)
    real = osp.realpath(here)
    if real in above:
        return
    folders = []
    for name in sorted(os.listdir(here)):
        path, file = osp.join(below, name), osp.join(here, name)
        if osp.isdir(file):
            folders.append(path)
        elif name.startswith('.'):
            yield path, 'hidden'
        elif osp.isfile(file):
            yield path, ''
        else:
            yield path, 'no regular file' if osp.exists(file) else 'dead link'
    for path in folders:
        if osp.basename(path).startswith('.'):
            yield osp.join(path, ''), 'hidden'
        else:
            yield from _walk(root, path, (*above, real))

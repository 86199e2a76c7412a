# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""What a file or folder holds, as one short string."""

import hashlib
import json
import os
import os.path as osp
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from .io import atomic_write, read_json
from .paths import walk_files

MISSING = 'missing'
_DIGEST = re.compile('[0-9a-f]{64}')
_CHUNK = 1 << 20
# A file younger than this may be written again without its times changing.
_RACY_NS = 2_000_000_000
_PROGRESS_BYTES = 1 << 29


def digest_value(value: Any) -> str:
    """The digest of plain Python data (numbers, strings, lists, dicts)."""
    text = json.dumps(value, default=repr)
    return hashlib.sha256(text.encode()).hexdigest()


def digest_checkpoint(path: str) -> str:
    """The digest of what a checkpoint gives to whoever loads it.

    That is its weights, their names, its stage and its classes. The rest of an
    mmengine checkpoint (dates, timings, the optimizer) differs between equal
    trainings, and no later step reads it. A file that cannot be read as a
    plain checkpoint is hashed byte by byte.
    """
    # A recipe that finds nothing to do needs no torch.
    import torch

    from .checkpoint import load_checkpoint_file
    try:
        checkpoint = load_checkpoint_file(path)
        weights = checkpoint.get('state_dict', checkpoint)
        meta = checkpoint.get('meta', {})
        digest = hashlib.sha256()
        for name, tensor in weights.items():
            digest.update(f'{name} {tensor.dtype} {tuple(tensor.shape)}'.encode())
            flat = tensor.detach().contiguous().reshape(-1).view(torch.uint8)
            digest.update(flat.numpy())
        described = [meta.get('stage'), meta.get('dataset_meta')]
        digest.update(digest_value(described).encode())
        return digest.hexdigest()
    except (ValueError, AttributeError):
        return _digest_bytes(path)


def _digest_bytes(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


class DigestCache:
    """Digests of files and folders by their content.

    A file is read again only if its size, one of its times or its inode
    changed since. Every write moves the change time, which no tool can set
    back; files changed within the last two seconds are never remembered, since
    a second write could share their times.

    Args:
        path (str, optional): The JSON file that keeps the digests between
            runs. Defaults to None, nothing is kept.
    """

    def __init__(self, path: str | None = None) -> None:
        self.path = path
        self._known: dict[str, list] = {}
        self._changed = False
        if path is not None and osp.exists(path):
            with suppress(OSError, ValueError):
                known = read_json(path)
                if isinstance(known, dict):
                    self._known = {file: entry for file, entry in known.items()
                                   if isinstance(entry, list)}

    def save(self) -> None:
        """Write what was learnt since the last call."""
        if self.path is not None and self._changed:
            with atomic_write(self.path, 'w') as file:
                json.dump(self._known, file)
            self._changed = False

    def __call__(self, path: str) -> str:
        """The digest of a file or of all files below a folder.

        Args:
            path (str): File or folder.

        Returns:
            str: A hexadecimal digest; ``'missing'`` if ``path`` does not exist.
        """
        path = osp.abspath(path)
        if osp.isdir(path):
            names = list(walk_files(path))
            files = [osp.join(path, name) for name in names]
            digests = [self._file(file) for file in self._with_progress(files)]
            return digest_value(list(zip(names, digests, strict=True)))
        if osp.isfile(path):
            return self._file(path)
        return MISSING

    def _with_progress(self, files: list[str]) -> Iterator[str]:
        unread = sum(
            osp.getsize(file) for file in files if file not in self._known)
        if unread < _PROGRESS_BYTES:
            return iter(files)
        from rich.progress import track
        return iter(track(files, description='Reading inputs', transient=True))

    def _file(self, path: str) -> str:
        stamp = _stamp(path)
        *known, digest = self._known.get(path) or [None]
        if known == stamp and _DIGEST.fullmatch(str(digest)):
            return digest
        started = time.time_ns()
        digest = (
            digest_checkpoint(path)
            if path.endswith('.pth') else _digest_bytes(path))
        if _stamp(path) == stamp and max(stamp[1:3]) < started - _RACY_NS:
            self._known[path] = [*stamp, digest]
            self._changed = True
        return digest


def _stamp(path: str) -> list[int]:
    status = os.stat(path)
    return [
        status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino
    ]

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Files that are either whole or absent."""

import json
import os
import os.path as osp
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO, Any

from .text import read_text


@contextmanager
def atomic_write(path: str, mode: str = 'wb') -> Iterator[IO]:
    """Write a file under a temporary name and rename it when it is whole.

    The old file, if any, stays until the new one stands. On any failure the
    temporary file is removed. Missing parent folders are made.

    Args:
        path (str): The file to write.
        mode (str): ``'wb'`` or ``'w'`` (UTF-8 text). Defaults to ``'wb'``.

    Yields:
        IO: The open temporary file.

    Raises:
        OSError: Naming ``path``, if it cannot be written (full disk, read-only
            folder, ...).
    """
    path = os.fspath(path)
    folder = osp.dirname(osp.abspath(path))
    temporary = None
    try:
        os.makedirs(folder, exist_ok=True)
        handle, temporary = tempfile.mkstemp(
            prefix=f'.{osp.basename(path)}.', suffix='.tmp', dir=folder)
        encoding = None if 'b' in mode else 'utf-8'
        with os.fdopen(handle, mode, encoding=encoding) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes private files; results are for the user's group too.
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
        temporary = None
    except OSError as error:
        raise OSError(error.errno, f'cannot write {path}: {error}') from error
    finally:
        if temporary is not None and osp.exists(temporary):
            os.remove(temporary)


def read_json(path: str) -> Any:
    """Read a JSON file.

    Raises:
        FileNotFoundError: If ``path`` does not exist.
        ValueError: Naming ``path``, if it is not valid JSON.
    """
    text = read_text(path)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f'{path} is not valid JSON: {error}') from error


@contextmanager
def naming(source: str) -> Iterator[None]:
    """Let a ValueError that does not say so name the file that it is about."""
    try:
        yield
    except ValueError as error:
        if str(source) in str(error):
            raise
        raise ValueError(f'{source}: {error}') from error


def write_json(path: str, value: Any) -> None:
    """Write ``value`` as indented JSON, atomically."""
    with atomic_write(path, 'w') as file:
        json.dump(value, file, indent=1)
        file.write('\n')


def write_lines(path: str, lines: Iterable[str]) -> None:
    """Write a text file that :func:`read_lines` reads, atomically."""
    with atomic_write(path, 'w') as file:
        file.write(''.join(f'{line}\n' for line in lines))


def check_output_folder(path: str) -> None:
    """Make a folder and try whether one can write into it.

    Args:
        path (str): The folder for results.

    Raises:
        OSError: Naming the folder, if it is read-only, full or no folder.
    """
    try:
        os.makedirs(path, exist_ok=True)
        with tempfile.TemporaryFile(dir=path) as file:
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise OSError(error.errno,
                      f'cannot write into {path}: {error.strerror}') from error

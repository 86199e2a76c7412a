# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Files wherever fsspec reaches: this machine, s3, gs, http.

Of this machine plain paths need no fsspec.
"""

import os
import os.path as osp
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import IO, Any

from mmwsss.utils import atomic_write

# Here folders need not be made, and to make one is to make a bucket that is missing.
_OBJECT_STORES = {'s3', 's3a', 'gs', 'gcs', 'abfs', 'abfss', 'adl', 'az', 'oci', 'oss'}

MAX_BYTES = 1 << 28
"""Of one image or mask: what is larger is refused before it is read."""


def require(module: str, what: str) -> Any:
    """Import an optional package.

    Args:
        module (str): Such as ``'pyarrow.parquet'``.
        what (str): What needs it, for the error.

    Raises:
        ImportError: Saying how to install it.
    """
    try:
        return import_module(module)
    except ImportError as error:
        package = module.split('.')[0]
        raise ImportError(f'{what} needs {package}: pip install "{package}" '
                          f'({error})') from error


def is_remote(location: str) -> bool:
    """Whether a location has a scheme, as ``s3://bucket/folder``."""
    return '://' in location


@contextmanager
def naming_errors(location: str) -> Iterator[None]:
    """Let what a filesystem raises be an OSError that names the location.

    Clients of object stores have exceptions of their own, of a dozen kinds.
    """
    try:
        yield
    except FileNotFoundError:
        raise FileNotFoundError(f'{location} does not exist') from None
    except Exception as error:
        detail = ' '.join(str(error).split()) or type(error).__name__
        raise OSError(f'cannot reach {location}: {detail}') from error


def filesystem(location: str) -> tuple[Any, str]:
    """fsspec's filesystem of a location with a scheme, and the path there.

    Raises:
        ImportError: If fsspec, or what it needs for the scheme, is not installed.
        ValueError: If nobody knows the scheme.
    """
    core = require('fsspec.core', location)
    if '::' in location:
        raise ValueError(f'{location}: chained filesystems are not read')
    try:
        return core.url_to_fs(location)
    except ImportError as error:
        raise ImportError(f'{location}: {error}') from error
    except ValueError as error:
        raise ValueError(f'{location}: {error}') from error
    except Exception as error:
        raise OSError(f'cannot reach {location}: {error}') from error


@contextmanager
def open_input(location: str) -> Iterator[IO[bytes]]:
    """Open a file for reading, with seeking.

    Args:
        location (str): Path, or URL of any filesystem of fsspec.

    Raises:
        FileNotFoundError: If there is no such file.
        OSError: Naming it, if it cannot be reached.
        ValueError: If it is no regular file.
    """
    if not is_remote(location):
        if osp.exists(location) and not osp.isfile(location):
            # A pipe or a device may never end.
            raise ValueError(f'{location} is no regular file')
        if not osp.exists(location):
            raise FileNotFoundError(f'{location} does not exist')
        with open(location, 'rb') as file:
            yield file
        return
    system, path = filesystem(location)
    with naming_errors(location):
        opened = system.open(path, 'rb')
    with opened as file:
        yield file


def read_bytes(location: str) -> bytes:
    """The content of a file of at most ``MAX_BYTES``, see :func:`open_input`."""
    with open_input(location) as file, naming_errors(location):
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ValueError(f'{location} has more than {MAX_BYTES} bytes')
    return data


@contextmanager
def whole_file(location: str) -> Iterator[IO[bytes]]:
    """Write a file that is there whole or not at all.

    On this machine it has a temporary name until it is whole. Elsewhere it is put
    together on this machine and sent at the end.

    Args:
        location (str): Path or URL.

    Yields:
        IO[bytes]: A local file.

    Raises:
        OSError: Naming the location, if it cannot be written.
    """
    if not is_remote(location):
        with atomic_write(location) as file:
            yield file
        return
    system, path = filesystem(location)
    with tempfile.NamedTemporaryFile(prefix='mmwsss_shard.') as file:
        try:
            yield file
            file.flush()
        except OSError as error:
            raise OSError(error.errno, f'cannot write {location}, of which '
                          f'{file.name} is made first: {error}') from error
        protocol = system.protocol
        try:
            with naming_errors(location):
                if _OBJECT_STORES.isdisjoint(
                        [protocol] if isinstance(protocol, str) else protocol):
                    system.makedirs(system._parent(path), exist_ok=True)
                system.put_file(file.name, path)
        except FileNotFoundError as error:
            raise FileNotFoundError(
                f'cannot write {location}: there is no such bucket') from error


def list_files(folder: str) -> list[str]:
    """The locations of the files in a folder (not below), sorted.

    Raises:
        FileNotFoundError: If there is no such folder.
        OSError: Naming it, if it cannot be reached.
    """
    if not is_remote(folder):
        if not osp.isdir(folder):
            raise FileNotFoundError(f'folder {folder} does not exist')
        with os.scandir(folder) as entries:
            return sorted(entry.path for entry in entries if entry.is_file())
    system, path = filesystem(folder)
    with naming_errors(folder):
        entries = system.ls(path, detail=True, refresh=True)
    return sorted(system.unstrip_protocol(entry['name']) for entry in entries
                  if entry['type'] == 'file')


def file_size(location: str) -> int:
    """The bytes of a file.

    Raises:
        OSError: Naming it, if it cannot be reached.
    """
    if not is_remote(location):
        return osp.getsize(location)
    system, path = filesystem(location)
    with naming_errors(location):
        return system.size(path)


def is_folder(location: str) -> bool:
    """Whether a location is a folder."""
    if not is_remote(location):
        return osp.isdir(location)
    system, path = filesystem(location)
    with naming_errors(location):
        return system.isdir(path)


def join(folder: str, name: str) -> str:
    """The location of a name, itself perhaps a location, seen from a folder."""
    if is_remote(name) or osp.isabs(name):
        return name
    if is_remote(folder):
        return f'{folder.rstrip("/")}/{name}'
    return osp.join(folder, name)


def parent(location: str) -> str:
    """The folder of a file."""
    if is_remote(location):
        return location.rsplit('/', 1)[0]
    return osp.dirname(location)

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Shards of any format, and all those of a folder."""

from collections.abc import Iterable, Sequence

from . import parquet, tar
from .files import is_folder, list_files
from .parquet import ParquetShard, write_parquet
from .rows import COLUMNS, ShardMeta, ShardRow
from .shard import Shard
from .tar import TarShard, write_tar

ERRORS = 'errors.parquet'
"""In a folder of shards: the images that could not be labelled, no shard."""
_KINDS = {parquet.SUFFIX: ParquetShard, tar.SUFFIX: TarShard}
FORMATS = dict(parquet=parquet.SUFFIX, webdataset=tar.SUFFIX)


def open_shard(location: str) -> Shard:
    """The reader of a file, by its suffix; nothing is read yet.

    Raises:
        ValueError: If it is neither ``.parquet`` nor ``.tar``.
    """
    for suffix, kind in _KINDS.items():
        if location.endswith(suffix):
            return kind(location)
    raise ValueError(f'{location}: a shard ends in .parquet or .tar')


def is_sharded(location: str) -> bool:
    """Whether a location is a shard or a folder of shards."""
    if is_folder(location):
        return bool(_shards_in(location))
    return location.endswith(tuple(_KINDS))


def open_shards(location: str | Sequence[str]) -> list[Shard]:
    """The shards of a folder, sorted by name; nothing of them is read yet.

    Args:
        location (str | Sequence[str]): Path or URL of a folder or of one shard, or
            several of them.

    Raises:
        FileNotFoundError: If there is no such folder.
        ValueError: If it holds no shard, or shards of several formats.
    """
    if not isinstance(location, str):
        return [shard for one in location for shard in open_shards(one)]
    if location.endswith(tuple(_KINDS)) and not is_folder(location):
        # Spark and Dask call folders so, too.
        return [open_shard(location)]
    found = _shards_in(location)
    suffixes = {name.rsplit('.', 1)[-1] for name in found}
    if not found:
        raise ValueError(f'{location} holds no shard (.parquet, .tar)')
    if len(suffixes) > 1:
        raise ValueError(f'{location} holds shards of several formats '
                         f'({", ".join(sorted(suffixes))}): name one kind')
    return [open_shard(name) for name in found]


def write_shard(location: str,
                rows: Iterable[ShardRow],
                meta: ShardMeta | None = None,
                columns: Sequence[str] = COLUMNS) -> int:
    """Write a shard in the format of its suffix; see :func:`write_parquet`."""
    if location.endswith(tar.SUFFIX):
        return write_tar(location, rows, meta)
    return write_parquet(location, rows, meta, columns)


def _shards_in(folder: str) -> list[str]:
    return [name for name in list_files(folder) if name.endswith(tuple(_KINDS))
            and name.replace('\\', '/').rsplit('/', 1)[-1] != ERRORS]

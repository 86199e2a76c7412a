# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Shards in Parquet: columns, and a footer that counts the rows."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from mmwsss.utils import check_image_ids

from .files import MAX_BYTES, join, open_input, parent, require, whole_file
from .rows import COLUMNS, META_KEY, ShardMeta, ShardRow, batch_rows
from .shard import Shard

SUFFIX = '.parquet'
# A reader of one row reads its group: some MB, however large images are.
_GROUP_BYTES = 4 << 20
_GROUP_ROWS = 256


class ParquetShard(Shard):
    """A Parquet file with a column ``id`` and any others of :class:`ShardRow`.

    An image's place may also be called ``url``; and ``image`` may be a struct with
    ``bytes`` and ``path``, as Hugging Face's data sets have it. Relative paths
    begin at the file's folder. Other columns are left alone.

    Args:
        location (str): Path or URL of the file.

    Raises:
        ImportError: If pyarrow is not installed.
    """

    def __init__(self, location: str) -> None:
        super().__init__(location)
        require('pyarrow.parquet', location)
        self._forget()

    def _forget(self) -> None:
        self._opened: Any = None
        self._group: tuple[int, list[dict]] | None = None

    @property
    def num_rows(self) -> int:
        """int: Of images, from the footer."""
        return self._file().metadata.num_rows

    @property
    def meta(self) -> ShardMeta:
        """ShardMeta: From the footer."""
        with self._naming():
            return ShardMeta.from_json(
                (self._file().schema_arrow.metadata or {}).get(META_KEY.encode()))

    @property
    def column_names(self) -> list[str]:
        """list[str]: All columns of the file."""
        return self._file().schema_arrow.names

    def rows(self, start: int = 0, stop: int | None = None) -> Iterator[ShardRow]:
        """The rows from ``start`` to before ``stop`` (default: the last)."""
        file, first = self._file(), 0
        stop = self.num_rows if stop is None else min(stop, self.num_rows)
        for group in range(file.metadata.num_row_groups):
            size = file.metadata.row_group(group).num_rows
            low, high = max(start, first), min(stop, first + size)
            if low < high:
                values = self._read_group(group)
                for value in values[low - first:high - first]:
                    yield self._row(value)
            first += size
            if first >= stop:
                return

    def block_sizes(self) -> list[int]:
        """The numbers of rows of the row groups, from the footer."""
        meta = self._file().metadata
        return [meta.row_group(i).num_rows for i in range(meta.num_row_groups)]

    def column(self, name: str) -> Any:
        """A column as ``pyarrow.ChunkedArray``, or None where there is none."""
        if name not in self.column_names:
            return None
        with self._naming():
            return self._file().read([name]).column(0)

    def _read_group(self, group: int) -> list[dict]:
        """The rows of a group; the last one is kept, for the next that asks."""
        if self._group is None or self._group[0] != group:
            file = self._file()
            wanted = [name for name in file.schema_arrow.names
                      if name in (*COLUMNS, 'url')]
            size = file.metadata.row_group(group).total_byte_size
            if size > 8 * MAX_BYTES:
                raise ValueError(f'{self.location}: row group {group} has {size} '
                                 f'bytes, more than {8 * MAX_BYTES}: write smaller '
                                 'groups')
            with self._naming():
                table = file.read_row_group(group, columns=wanted)
                self._group = group, table.to_pylist()
        return self._group[1]

    def _row(self, value: dict) -> ShardRow:
        value = dict(value)  # of a group that may be asked for again
        url = value.pop('url', None)
        row = ShardRow(**value)
        if isinstance(row.image, dict):
            row.path = row.path or row.image.get('path')
            row.image = row.image.get('bytes')
        row.path = row.path or url
        if row.path is not None and row.image is None:
            row.path = join(parent(self.location), row.path)
        if not isinstance(row.id, str):
            raise ValueError(f'{self.location}: the id {row.id!r} is no string')
        self._check_id(row.id)
        return row

    def _file(self) -> Any:
        if self._opened is None:
            parquet = require('pyarrow.parquet', self.location)
            file = self._stack.enter_context(open_input(self.location))
            with self._naming():
                self._opened = parquet.ParquetFile(
                    file, page_checksum_verification=True)
            self._check_columns()
        return self._opened

    def _check_columns(self) -> None:
        types = require('pyarrow.types', self.location)
        schema = self._opened.schema_arrow
        names = schema.names
        if 'id' not in names or not {'image', 'path', 'url', 'mask'} & set(names):
            raise ValueError(
                f'{self.location}: expected a column "id" and one of "image", "path", '
                f'"url" and "mask", got {", ".join(names) or "none"}')

        def is_text(kind):
            return types.is_string(kind) or types.is_large_string(kind) or (
                types.is_dictionary(kind) and is_text(kind.value_type))

        def is_list(kind):
            return types.is_list(kind) or types.is_large_list(kind)

        def is_bytes(kind):
            return types.is_binary(kind) or types.is_large_binary(kind)

        expected = dict(
            id=('text', is_text), path=('text', is_text), url=('text', is_text),
            image=('binary', lambda kind: is_bytes(kind) or (
                types.is_struct(kind)
                and {'bytes', 'path'} >= {part.name for part in kind})),
            mask=('binary', is_bytes),
            tags=('a list of text', lambda kind: is_list(kind) and (
                is_text(kind.value_type))),
            classes=('a list of text', lambda kind: is_list(kind) and (
                is_text(kind.value_type))),
            scores=('a list of numbers', lambda kind: is_list(kind) and (
                types.is_floating(kind.value_type))),
            width=('whole numbers', types.is_integer),
            height=('whole numbers', types.is_integer))
        for name in names:
            if name in expected and not expected[name][1](schema.field(name).type):
                raise ValueError(
                    f'{self.location}: the column "{name}" should be '
                    f'{expected[name][0]}, it is {schema.field(name).type}')

    @contextmanager
    def _naming(self) -> Iterator[None]:
        try:
            yield
        # pyarrow says "OSError" of damaged files, too.
        except (OSError, ValueError, NotImplementedError) as error:
            raise ValueError(f'{self.location} cannot be read as Parquet (perhaps '
                             f'cut off): {" ".join(str(error).split())}') from error


def parquet_schema(columns: Sequence[str], meta: ShardMeta) -> Any:
    """The schema of what :func:`write_parquet` writes."""
    pa = require('pyarrow', 'writing Parquet')
    types = dict(
        id=pa.string(), image=pa.binary(), path=pa.string(),
        tags=pa.list_(pa.string()), mask=pa.binary(), classes=pa.list_(pa.string()),
        scores=pa.list_(pa.float32()), width=pa.int32(), height=pa.int32())
    return pa.schema([(name, types[name]) for name in columns],
                     metadata={META_KEY: meta.to_json()})


def write_parquet(location: str,
                  rows: Iterable[ShardRow],
                  meta: ShardMeta | None = None,
                  columns: Sequence[str] = COLUMNS) -> int:
    """Write a shard that :class:`ParquetShard` reads, whole or not at all.

    Args:
        location (str): Path or URL of the file.
        rows (Iterable[ShardRow]): Some hundred kB of them are held at a time.
        meta (ShardMeta, optional): What the shard says of itself.
        columns (Sequence[str]): Those of :class:`ShardRow` to write. Defaults to
            all.

    Returns:
        int: How many rows there were.

    Raises:
        ValueError: If two rows have the same id, or one cannot name a file.
        OSError: Naming the file, if it cannot be written.
    """
    pa = require('pyarrow', location)
    parquet = require('pyarrow.parquet', location)
    schema = parquet_schema(columns, meta or ShardMeta())
    ids: list[str] = []
    with whole_file(location) as file, parquet.ParquetWriter(
            file, schema, compression='zstd', write_statistics=['id'],
            write_page_checksum=True,
            use_dictionary=['tags.list.element', 'classes.list.element']) as writer:
        for group in batch_rows(rows, _GROUP_BYTES, _GROUP_ROWS):
            ids += [row.id for row in group]
            table = pa.Table.from_pylist([asdict(row) for row in group], schema)
            writer.write_table(table, row_group_size=len(group))
        check_image_ids(ids, location)
    return len(ids)

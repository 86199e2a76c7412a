# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Shards as tars in the way of WebDataset: the files of an image share a name.

``<key>.jpg`` (or another suffix of images) is the image, ``<key>.mask.png`` its mask,
``<key>.json`` the rest. The key ends at the first dot of the file's name, so that an
id with a dot is written with ``%2E``; the id stands in the JSON.
"""

import io
import json
import tarfile
from collections.abc import Iterable, Iterator
from typing import IO, Any

from mmwsss.utils import check_image_ids, naming
from mmwsss.utils.label_table import IMAGE_SUFFIXES

from .files import MAX_BYTES, join, naming_errors, open_input, parent, whole_file
from .rows import ShardMeta, ShardRow
from .shard import Shard

SUFFIX = '.tar'
META_NAME = '__mmwsss__'
"""The member with what the shard says of itself. WebDataset's own readers leave out
names that begin and end with two underscores."""
_MASK = '.mask.png'
_FACTS = ('tags', 'path', 'classes', 'scores', 'width', 'height')
_BLOCK_ROWS = 64
_MAGIC = {b'\xff\xd8': '.jpg', b'\x89P': '.png', b'RI': '.webp', b'GI': '.gif',
          b'BM': '.bmp', b'II': '.tif', b'MM': '.tif'}


class TarShard(Shard):
    """A tar of images; nothing is ever unpacked.

    Where each member begins is read once, header by header, so that any row can be
    read alone. Tags come from ``tags`` in the JSON, or from ``<key>.cls.txt`` or
    ``<key>.txt``, one a line.

    Args:
        location (str): Path or URL of the file.
    """

    def __init__(self, location: str) -> None:
        super().__init__(location)
        self._forget()

    def _forget(self) -> None:
        self._opened: IO[bytes] | None = None
        self._index: dict[str, dict[str, tuple[int, int]]] | None = None
        self._keys: list[str] = []
        self._meta = ShardMeta()

    @property
    def num_rows(self) -> int:
        """int: Of images, from the headers of the members."""
        self._file()
        return len(self._keys)

    @property
    def meta(self) -> ShardMeta:
        """ShardMeta: From the member ``__mmwsss__``."""
        self._file()
        return self._meta

    def rows(self, start: int = 0, stop: int | None = None) -> Iterator[ShardRow]:
        """The rows from ``start`` to before ``stop`` (default: the last)."""
        self._file()
        for key in self._keys[start:stop]:
            yield self._row(key)

    def block_sizes(self) -> list[int]:
        """Runs of ``_BLOCK_ROWS`` rows, which lie side by side."""
        whole, rest = divmod(self.num_rows, _BLOCK_ROWS)
        return [_BLOCK_ROWS] * whole + [rest] * (rest > 0)

    def column(self, name: str) -> list:
        """A column as a list, from the texts and JSON of the tar."""
        self._file()
        return [getattr(self._row(key, with_images=False), name)
                for key in self._keys]

    def _row(self, key: str, with_images: bool = True) -> ShardRow:
        assert self._index is not None  # noqa: S101
        row = ShardRow(key)
        for suffix, place in self._index[key].items():
            if suffix in IMAGE_SUFFIXES or suffix == _MASK:
                if with_images:
                    setattr(row, 'mask' if suffix == _MASK else 'image',
                            self._read(place))
            elif suffix in ('.txt', '.cls.txt'):
                lines = self._text(key, place).splitlines()
                row.tags = [line.strip() for line in lines if line.strip()]
        if '.json' in self._index[key]:
            self._add_facts(row, self._text(key, self._index[key]['.json']))
        self._check_id(row.id)
        if row.path is not None and row.image is None:
            row.path = join(parent(self.location), row.path)
        return row

    def _add_facts(self, row: ShardRow, text: str) -> None:
        try:
            facts = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ValueError(
                f'{self.location}: {row.id}.json is no JSON: {error}') from error
        if not isinstance(facts, dict):
            return
        for name in ('id', *_FACTS):
            value = facts.get(name)
            if value is None:
                continue
            if not _fits(name, value):
                raise ValueError(f'{self.location}: {row.id}.json has the {name} '
                                 f'{value!r}')
            setattr(row, name, value)

    def _text(self, key: str, place: tuple[int, int]) -> str:
        try:
            return self._read(place).decode()
        except UnicodeDecodeError as error:
            raise ValueError(f'{self.location}: the text of {key} is no UTF-8: '
                             f'{error}') from error

    def _read(self, place: tuple[int, int]) -> bytes:
        offset, size = place
        file = self._file()
        with naming_errors(self.location):
            file.seek(offset)
            data = file.read(size)
        if len(data) < size:
            raise ValueError(f'{self.location} is cut off')
        return data

    def _file(self) -> IO[bytes]:
        if self._opened is None:
            self._opened = self._stack.enter_context(open_input(self.location))
            try:
                self._read_index(self._opened)
            except Exception:
                self.close()
                raise
        return self._opened

    def _read_index(self, file: IO[bytes]) -> None:
        """Note where each member is; refuse all that is no plain file."""
        index: dict[str, dict[str, tuple[int, int]]] = {}
        end = 0
        try:
            with tarfile.open(fileobj=file, mode='r:') as tar:
                for member in tar:
                    end = member.offset_data + -(-member.size // 512) * 512
                    self._add(index, member, file)
                    tar.members = []  # type: ignore[attr-defined]  # not needed again
        except tarfile.TarError as error:
            raise ValueError(f'{self.location} is no whole plain tar (perhaps cut '
                             f'off or compressed): {error}') from error
        file.seek(end)
        if file.read(512) != bytes(512):
            raise ValueError(f'{self.location} is cut off: it lacks the end of a tar')
        self._index, self._keys = index, list(index)

    def _add(self, index: dict, member: tarfile.TarInfo, file: IO[bytes]) -> None:
        name = member.name
        if member.isdir():
            return
        if not member.isreg() or member.issparse():
            raise ValueError(f'{self.location}: {name!r} is no plain file (a link, '
                             'a device or sparse)')
        if member.size > MAX_BYTES:
            raise ValueError(f'{self.location}: {name!r} has {member.size} bytes, '
                             f'more than {MAX_BYTES}')
        if name == META_NAME:
            position = file.tell()
            file.seek(member.offset_data)
            with naming(self.location):
                self._meta = ShardMeta.from_json(file.read(member.size))
            file.seek(position)
            return
        name = name.removeprefix('./')
        folder, slash, base = name.rpartition('/')
        stem, dot, suffix = base.partition('.')
        if base.startswith('__') and base.endswith('__'):
            return
        key, suffix = folder + slash + stem, (dot + suffix).lower()
        self._check_id(key)
        parts = index.setdefault(key, {})
        if suffix in parts:
            raise ValueError(f'{self.location} has {name!r} twice')
        if suffix in IMAGE_SUFFIXES and set(parts) & set(IMAGE_SUFFIXES):
            raise ValueError(f'{self.location} has two photos of {key!r}')
        parts[suffix] = member.offset_data, member.size


def write_tar(location: str,
              rows: Iterable[ShardRow],
              meta: ShardMeta | None = None) -> int:
    """Write a shard that :class:`TarShard` reads, whole or not at all.

    Args:
        location (str): Path or URL of the file.
        rows (Iterable[ShardRow]): Held one at a time.
        meta (ShardMeta, optional): What the shard says of itself.

    Returns:
        int: How many rows there were.

    Raises:
        ValueError: If two rows have the same id, or one cannot name a file.
        OSError: Naming the file, if it cannot be written.
    """
    ids: list[str] = []
    with whole_file(location) as file, tarfile.open(
            fileobj=file, mode='w', format=tarfile.PAX_FORMAT) as tar:
        _add_member(tar, META_NAME, (meta or ShardMeta()).to_json())
        for row in rows:
            ids.append(row.id)
            key = row.id.replace('%', '%25').replace('.', '%2E')
            if row.image is not None:
                _add_member(tar, key + _MAGIC.get(row.image[:2], '.jpg'), row.image)
            if row.mask is not None:
                _add_member(tar, key + _MASK, row.mask)
            facts = {name: getattr(row, name) for name in ('id', *_FACTS)
                     if getattr(row, name) is not None}
            _add_member(tar, f'{key}.json', json.dumps(facts).encode())
        check_image_ids(ids, location)
    return len(ids)


def _add_member(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    # Without a date: equal rows, equal bytes.
    member = tarfile.TarInfo(name)
    member.size = len(data)
    tar.addfile(member, io.BytesIO(data))


def _fits(name: str, value: Any) -> bool:
    if name in ('width', 'height'):
        return isinstance(value, int) and value > 0
    if name in ('id', 'path'):
        return isinstance(value, str)
    kind: Any = str if name in ('tags', 'classes') else (int, float)
    return isinstance(value, list) and all(isinstance(one, kind) for one in value)

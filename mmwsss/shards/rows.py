# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""What a shard holds of an image, and of itself."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from typing import Any

from .files import read_bytes

META_KEY = 'mmwsss'


@dataclass
class ShardRow:
    """An image, with what is known of it; what is not known is None.

    Args:
        id (str): As :func:`mmwsss.utils.check_image_ids` allows them.
        image (bytes, optional): The image, encoded (JPEG, PNG, ...).
        path (str, optional): Else where it is: path or URL.
        tags (list[str], optional): The classes that it shows.
        mask (bytes, optional): A PNG of class ids.
        classes (list[str], optional): The classes that the mask was made for.
        scores (list[float], optional): Their probabilities.
        width (int, optional): Of the image, in pixels.
        height (int, optional): Likewise.
    """

    id: str
    image: bytes | None = None
    path: str | None = None
    tags: list[str] | None = None
    mask: bytes | None = None
    classes: list[str] | None = None
    scores: list[float] | None = None
    width: int | None = None
    height: int | None = None

    @property
    def num_bytes(self) -> int:
        """int: Of image and mask."""
        return len(self.image or b'') + len(self.mask or b'')


COLUMNS = tuple(column.name for column in fields(ShardRow))


@dataclass
class ShardMeta:
    """What a shard says of itself.

    Args:
        classes (list[str]): All classes, background first.
        protocol (dict): How the masks were made, as plain values.
        versions (dict[str, str]): Of the packages that made them.
    """

    classes: list[str] = field(default_factory=list)
    protocol: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> bytes:
        """As it stands in a shard."""
        return json.dumps(
            dict(classes=self.classes, protocol=self.protocol,
                 versions=self.versions), sort_keys=True).encode()

    @classmethod
    def from_json(cls, text: bytes | None) -> 'ShardMeta':
        """What :meth:`to_json` wrote; of a shard of others nothing is known.

        Raises:
            ValueError: If it is something else.
        """
        if text is None:
            return cls()
        try:
            value = json.loads(text)
            meta = cls(value['classes'], value['protocol'], value['versions'])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise ValueError(f'its entry {META_KEY!r} is damaged: {error}') from error
        if not isinstance(meta.classes, list) or not all(
                isinstance(name, str) for name in meta.classes):
            raise ValueError(f'its entry {META_KEY!r} has no list of classes')
        return meta


def batch_rows(rows: Iterable[ShardRow], max_bytes: int,
               max_rows: int) -> Iterator[list[ShardRow]]:
    """Rows in lists, each of which ends when it has so many bytes or rows."""
    batch: list[ShardRow] = []
    size = 0
    for row in rows:
        batch.append(row)
        size += row.num_bytes
        if size >= max_bytes or len(batch) >= max_rows:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def load_image_bytes(row: ShardRow) -> bytes:
    """The encoded image of a row, read from its path where the row lacks it.

    Raises:
        OSError: Naming the path, if it cannot be read.
        ValueError: Naming the row, if it has neither.
    """
    if row.image is not None:
        return row.image
    if row.path is None:
        raise ValueError(f'{row.id} has neither a photo nor the path of one')
    return read_bytes(row.path)

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""What the readers of all formats have in common."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any

from mmwsss.utils import check_image_ids

from .rows import ShardMeta, ShardRow


class Shard(ABC):
    """One file of rows; opened when something of it is asked for, and picklable.

    Args:
        location (str): Path or URL of the file.
    """

    def __init__(self, location: str) -> None:
        self.location = location
        self._stack = ExitStack()

    @property
    @abstractmethod
    def num_rows(self) -> int:
        """int: Of images. Nothing of them is read."""

    @property
    @abstractmethod
    def meta(self) -> ShardMeta:
        """ShardMeta: Empty for shards that others made."""

    @abstractmethod
    def rows(self, start: int = 0, stop: int | None = None) -> Iterator[ShardRow]:
        """The rows from ``start`` to before ``stop`` (default: the last).

        Raises:
            ValueError: Naming the file, if it is damaged or a row is wrong.
        """

    @abstractmethod
    def block_sizes(self) -> list[int]:
        """The numbers of successive rows that are best read together."""

    @abstractmethod
    def column(self, name: str) -> Sequence[Any] | None:
        """``id`` or ``tags`` of all rows, without their images and masks.

        Returns:
            Sequence | None: Of Parquet a ``pyarrow.ChunkedArray``, of a tar a list;
            None if there is no such column.
        """

    def __getitem__(self, row: int) -> ShardRow:
        if not 0 <= row < self.num_rows:
            raise IndexError(f'{self.location} has {self.num_rows} rows, not {row}')
        return next(iter(self.rows(row, row + 1)))

    def __len__(self) -> int:
        return self.num_rows

    def close(self) -> None:
        """Close the file; it is opened again when something is asked for."""
        self._stack.close()
        self._forget()

    @abstractmethod
    def _forget(self) -> None:
        """Let go of what hangs on the open file."""

    def __getstate__(self) -> dict:
        return dict(location=self.location)

    def __setstate__(self, state: dict) -> None:
        # Not all classes of a mixture of processes have the same open files.
        self.__init__(state['location'])  # type: ignore[misc]

    def __repr__(self) -> str:
        return f'{type(self).__name__}({self.location!r})'

    def _check_id(self, image_id: str) -> None:
        check_image_ids([image_id], self.location)

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Any row of many shards."""

import os
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any, TypeVar

import numpy as np

from .rows import ShardRow
from .shard import Shard

T = TypeVar('T')
_THREADS = 16
_MAX_OPEN = 32


class RowReader:
    """The rows of many shards, by one number over all of them.

    A row is read with its block (a row group of Parquet, a run of a tar), and the
    last blocks are kept. What it holds of the rows themselves is nothing: two
    numbers a block. Each process has open files and blocks of its own, also after
    a fork.

    Args:
        shards (Sequence[Shard]): In order.
        cache_bytes (int): Of images and masks that are kept; one block at least
            always is. Defaults to 256 MiB.

    Raises:
        ValueError: Naming the shard, if one is damaged.
    """

    def __init__(self, shards: Sequence[Shard], cache_bytes: int = 256 << 20) -> None:
        self.shards = list(shards)
        self.cache_bytes = cache_bytes
        self._reset()
        sizes = self.map_shards(lambda shard: shard.block_sizes())
        counts = np.array([len(blocks) for blocks in sizes], dtype=np.int64)
        flat = np.array([size for blocks in sizes for size in blocks], dtype=np.int64)
        self.starts = np.concatenate([[0], np.cumsum(flat)]).astype(np.int64)
        """np.ndarray: Where each block begins, and the number of rows."""
        self._shard_of = np.repeat(np.arange(len(counts)), counts)
        # Of each shard, its first row.
        first_blocks = np.concatenate([[0], np.cumsum(counts)])
        self._first_rows = self.starts[first_blocks]

    def __len__(self) -> int:
        return int(self.starts[-1])

    def __getitem__(self, row: int) -> ShardRow:
        if not 0 <= row < len(self):
            raise IndexError(f'there are {len(self)} rows, not {row}')
        if self._process != os.getpid():
            self._reset()
        block = int(np.searchsorted(self.starts, row, side='right')) - 1
        return self._read(block)[row - int(self.starts[block])]

    def shard_sizes(self) -> list[int]:
        """The number of rows of each shard."""
        return np.diff(self._first_rows).tolist()

    def location(self, row: int) -> str:
        """The shard that a row is in."""
        block = int(np.searchsorted(self.starts, row, side='right')) - 1
        return self.shards[self._shard_of[block]].location

    def map_shards(self, read: Callable[[Shard], T]) -> list[T]:
        """What a function reads of each shard, several at a time; none stays open."""
        def read_and_close(shard: Shard) -> T:
            with closing(shard):
                return read(shard)

        with ThreadPoolExecutor(_THREADS) as pool:
            return list(pool.map(read_and_close, self.shards))

    def _read(self, block: int) -> list[ShardRow]:
        """The rows of a block."""
        if block in self._blocks:
            self._blocks.move_to_end(block)
            return self._blocks[block][0]
        number = int(self._shard_of[block])
        first = int(self.starts[block] - self._first_rows[number])
        size = int(self.starts[block + 1] - self.starts[block])
        rows = list(self._open(number).rows(first, first + size))
        if len(rows) != size:
            raise ValueError(f'{self.shards[number].location} has changed since it '
                             'was opened')
        weight = sum(row.num_bytes for row in rows)
        self._blocks[block] = rows, weight
        self._bytes += weight
        while self._bytes > self.cache_bytes and len(self._blocks) > 1:
            self._bytes -= self._blocks.popitem(last=False)[1][1]
        return rows

    def _open(self, number: int) -> Shard:
        """A shard of this process; those not asked for lately are closed."""
        if number not in self._opened:
            # A copy: an inherited one shares the place in its open file.
            shard = self.shards[number]
            self._opened[number] = type(shard)(shard.location)
        self._opened.move_to_end(number)
        if len(self._opened) > _MAX_OPEN:
            self._opened.popitem(last=False)[1].close()
        return self._opened[number]

    def _reset(self) -> None:
        self._process = os.getpid()
        self._opened: OrderedDict[int, Shard] = OrderedDict()
        self._blocks: OrderedDict[int, tuple[list[ShardRow], int]] = OrderedDict()
        self._bytes = 0

    def __getstate__(self) -> dict[str, Any]:
        state = dict(self.__dict__)
        for name in ('_opened', '_blocks'):
            del state[name]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._reset()

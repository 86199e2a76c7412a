# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""What is known of the shards of a run before it labels."""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any, NamedTuple

import numpy as np

from mmwsss.shards import Shard
from mmwsss.shards.files import file_size
from mmwsss.utils import check_image_ids
from mmwsss.utils.lists import id_without_case

# Footers and headers of shards are read beside each other: elsewhere each takes
# some round trips.
READERS = 16


class CountedShard(NamedTuple):
    """A shard of a run.

    Args:
        location (str): Where it lies.
        num_rows (int): Its rows.
        content (str): A digest of its ids and size: nearly always another one, if
            another image is in it.
    """

    location: str
    num_rows: int
    content: str


def count_shards(shards: Sequence[Shard]) -> list[CountedShard]:
    """Look at all shards, and that no two rows of them share an id.

    The mask of one would take the place of the other's. Of each id eight bytes are
    kept, so that those of 100 million images fit into memory.

    Args:
        shards (Sequence[Shard]): The shards; they are closed again.

    Raises:
        ValueError: Naming the shards, if an id is no file's name, or comes twice, be
            it in other case.
    """
    def look(shard: Shard) -> tuple[CountedShard, np.ndarray]:
        ids = read_ids(shard)
        check_image_ids(ids, shard.location)
        digest = hashlib.sha256('\n'.join(ids).encode())
        digest.update(f'\n{file_size(shard.location)}'.encode())
        keys = np.fromiter(map(hash, map(id_without_case, ids)), np.int64, len(ids))
        return CountedShard(shard.location, len(ids), digest.hexdigest()), keys

    with ThreadPoolExecutor(READERS) as pool:
        seen = list(pool.map(look, shards))
    keys = np.sort(np.concatenate([keys for _, keys in seen] or [np.empty(0)]))
    twice = keys[1:][keys[1:] == keys[:-1]]
    if len(twice):
        _refuse_shared_ids(shards, {*twice.tolist()})
    return [counted for counted, _ in seen]


def read_ids(shard: Shard) -> list[str]:
    """The ids of a shard, which is closed again."""
    with closing(shard):
        column: Any = shard.column('id')
        ids = column if isinstance(column, list) else column.to_pylist()
    return [str(one) for one in ids]


def _refuse_shared_ids(shards: Sequence[Shard], keys: set[int]) -> None:
    """Name two rows that share an id, among those with some keys."""
    places: dict[str, tuple[str, str]] = {}
    for shard in shards:
        for one in read_ids(shard):
            plain = id_without_case(one)
            # Two ids may have one key by chance.
            if hash(plain) not in keys:
                continue
            if plain in places:
                other, location = places[plain]
                said = f'duplicate id {one!r}' if one == other else (
                    f'the ids {other!r} and {one!r} are one where case or the form '
                    'of accents does not count')
                raise ValueError(f'{said}: in {location} and {shard.location}')
            places[plain] = one, shard.location

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Collections in a few large files instead of a file an image: Parquet or tars."""

from .collection import is_sharded, open_shard, open_shards, write_shard
from .files import list_files, open_input, read_bytes, whole_file
from .parquet import ParquetShard, write_parquet
from .row_reader import RowReader
from .rows import ShardMeta, ShardRow, load_image_bytes
from .shard import Shard
from .tar import TarShard, write_tar

__all__ = [
    'ParquetShard', 'RowReader', 'Shard', 'ShardMeta', 'ShardRow', 'TarShard',
    'is_sharded', 'list_files', 'load_image_bytes', 'open_input', 'open_shard',
    'open_shards', 'read_bytes', 'whole_file', 'write_parquet', 'write_shard',
    'write_tar'
]

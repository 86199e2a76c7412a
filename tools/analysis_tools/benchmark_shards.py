# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""What training from shards costs: opening many entries, reading photos.

    python tools/analysis_tools/benchmark_shards.py open --entries 1000000
    python tools/analysis_tools/benchmark_shards.py read --images 4000 --workers 0 2

`open` writes Parquet files of tiny entries, opens them with tags, and again to find
the mask of each by id, each in a process of its own, and moves the sampler to 70 % of
a pass. `read` decodes each photo once, in a shuffled order, from files, Parquet and
tars in turn; photos are noise, so that nothing but reading and decoding counts. The
files are fresh, so that none is read from a disk. Prints JSON.
"""

if __name__ == '__main__':
    from mmwsss.ctrl_c import end_at_ctrl_c
    end_at_ctrl_c()

import argparse
import io
import json
import os
import os.path as osp
import tempfile
import time
from multiprocessing import get_context

from mmwsss.utils.arguments import ToolParser
from mmwsss.utils.entry_point import run_tool

CLASSES = ['background', *(f'class {i}' for i in range(1, 21))]
ROWS = 10000


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = ToolParser(__doc__)
    parser.add_argument('what', choices=['open', 'read'])
    parser.add_argument('--entries', type=int, nargs='+', default=[82081, 1000000])
    parser.add_argument('--images', '--photos', type=int, default=4000)
    parser.add_argument('--size', type=int, default=320, help='side of a photo')
    parser.add_argument('--workers', type=int, nargs='+', default=[0, 2])
    return parser.parse_args()


def write_entries(folder: str, entries: int) -> None:
    """Tags and masks of images of ten bytes, in groups as of images of 100 kB."""
    import pyarrow as pa
    import pyarrow.parquet

    from mmwsss.shards import ShardMeta
    from mmwsss.shards.parquet import parquet_schema
    schemas = dict(images=parquet_schema(('id', 'image', 'tags'), ShardMeta(CLASSES)),
                   masks=parquet_schema(('id', 'mask'), ShardMeta(CLASSES)))
    for kind, schema in schemas.items():
        os.makedirs(osp.join(folder, kind))
        for first in range(0, entries, ROWS):
            numbers = range(first, min(first + ROWS, entries))
            tiny = [bytes(10)] * len(numbers)
            columns = dict(
                id=[f'folder_{i // 1000:04d}/photo_{i:07d}' for i in numbers],
                tags=[[CLASSES[1 + i % 20], CLASSES[1 + (i + 3) % 20]]
                      for i in numbers], image=tiny, mask=tiny)
            pyarrow.parquet.write_table(
                pa.table({name: columns[name] for name in schema.names}, schema),
                osp.join(folder, kind, f'{first:08d}.parquet'), row_group_size=40)


def open_entries(folder: str, with_masks: bool) -> dict[str, float]:
    """Open a data set and find a place in its order; seconds and MiB."""
    import psutil
    import pyarrow.compute
    import pyarrow.parquet  # noqa: F401  Imports are no part of it.
    from mmengine.registry import init_default_scope
    from mmseg.registry import DATASETS

    from mmwsss.engine.runner import BlockShuffleSampler
    init_default_scope('mmseg')
    prefix = dict(img_path=osp.join(folder, 'images'))
    if with_masks:
        prefix['seg_map_path'] = osp.join(folder, 'masks')
    process = psutil.Process()
    before, started = process.memory_info().rss, time.perf_counter()
    dataset = DATASETS.build(dict(
        type='WeakShardDataset', data_prefix=prefix, with_masks=with_masks,
        with_tags=not with_masks))
    opened = time.perf_counter()
    grown = process.memory_info().rss - before
    sampler = BlockShuffleSampler(dataset, seed=1)
    sampler.skip(len(dataset) * 7 // 10)
    next(iter(sampler))
    return dict(entries=len(dataset), blocks=len(dataset.block_starts) - 1,
                seconds=round(opened - started, 2), mib=round(grown / 2**20),
                resume_seconds=round(time.perf_counter() - opened, 4))


def write_images(folder: str, images: int, size: int) -> None:
    """The same images as files, Parquet and tars, in shards of 500."""
    import numpy as np
    from PIL import Image

    from mmwsss.shards import ShardMeta, ShardRow, write_shard
    random = np.random.default_rng(0)
    kinds = ('files', 'parquet', 'tar')
    for kind in kinds:
        os.makedirs(osp.join(folder, kind))
    for first in range(0, images, 500):
        rows = []
        for i in range(first, min(first + 500, images)):
            file = io.BytesIO()
            noise = random.integers(0, 255, (size // 8, size // 8, 3), dtype=np.uint8)
            Image.fromarray(noise).resize((size, size), 2).save(file, 'JPEG')
            rows.append(ShardRow(f'{i:07d}', file.getvalue(), tags=CLASSES[1:2]))
            with open(osp.join(folder, 'files', f'{i:07d}.jpg'), 'wb') as image:
                image.write(rows[-1].image)
        for kind in kinds[1:]:
            write_shard(osp.join(folder, kind, f'{first:07d}.{kind}'), rows,
                        ShardMeta(CLASSES))


def read_images(folder: str, kind: str, images: int, workers: int) -> float:
    """Photos a second, each once."""
    from mmengine.registry import init_default_scope
    from mmengine.runner import Runner
    init_default_scope('mmseg')
    place = dict(img_path=osp.join(folder, kind))
    dataset = dict(
        data_prefix=place, pipeline=[dict(type='LoadPILImage')],
        metainfo=dict(classes=CLASSES))
    if kind == 'files':
        dataset.update(type='BaseSegDataset')
    else:
        dataset.update(type='WeakShardDataset')
    loader = Runner.build_dataloader(dict(
        batch_size=16, num_workers=workers, dataset=dataset, sampler=dict(
            type='ReproducibleInfiniteSampler' if kind == 'files'
            else 'BlockShuffleSampler')), seed=1)
    started, seen = time.perf_counter(), 0
    for batch in loader:
        seen += len(batch['img'])
        if seen >= images:
            return round(seen / (time.perf_counter() - started), 1)
    raise AssertionError('the stream of samples ended')


def main(args: argparse.Namespace) -> None:
    """Measure and print."""
    import torch
    torch.set_num_threads(1)
    figures: list[dict] = []
    if args.what == 'open':
        for entries in args.entries:
            with tempfile.TemporaryDirectory() as folder, \
                    get_context('spawn').Pool(1, maxtasksperchild=1) as pool:
                write_entries(folder, entries)
                figures += [
                    dict(what=what, **pool.apply(open_entries, (folder, with_masks)))
                    for what, with_masks in (('tags', False), ('masks', True))]
    else:
        with tempfile.TemporaryDirectory() as folder:
            write_images(folder, args.images, args.size)
            for workers in args.workers:
                figures += [
                    dict(kind=kind, workers=workers, images_per_second=read_images(
                        folder, kind, args.images, workers))
                    for kind in ('files', 'parquet', 'tar')]
    print(json.dumps(figures, indent=1))


if __name__ == '__main__':
    run_tool(parse_args, main)

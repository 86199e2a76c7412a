# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""What label_photos costs: engines side by side, memory, resuming, bytes.

    python tools/analysis_tools/benchmark_labels.py engines --images 2000 --size 64
    python tools/analysis_tools/benchmark_labels.py start --images 20
    python tools/analysis_tools/benchmark_labels.py memory --images 20000 --size 32
    python tools/analysis_tools/benchmark_labels.py resume --entries 82081 1000000
    python tools/analysis_tools/benchmark_labels.py bytes --images 20 --size 480

Photos are random, the model is the config's with random weights: what masks show
does not matter here. An engine's rate counts from its first finished part, its start
is told apart; engines take turns, and each figure is the median. `start` runs the
tool anew and waits for its first mask. Prints JSON.
"""

if __name__ == '__main__':
    from mmwsss.ctrl_c import end_at_ctrl_c
    end_at_ctrl_c()

import argparse
import glob
import io
import json
import os
import os.path as osp
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mmwsss.utils import (
    project_path,
    read_config,
    read_json,
    write_json,
    write_lines,
)
from mmwsss.utils.arguments import ToolParser
from mmwsss.utils.entry_point import run_tool

ENGINES = {'plain loop': ('plain', 0), '1 process': ('plain', 1),
           '2 processes': ('plain', 2), 'Ray, 1 actor': ('ray', 1),
           'Ray, 2 actors': ('ray', 2)}


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = ToolParser(__doc__)
    parser.add_argument(
        'what', choices=['engines', 'start', 'memory', 'resume', 'bytes'])
    parser.add_argument('--config', default='configs/cam/cam_demo.py')
    parser.add_argument('--images', '--photos', type=int, default=2000)
    parser.add_argument('--size', type=int, default=64, help='side of a photo')
    parser.add_argument(
        '--images-per-shard', '--photos-per-shard', type=int, default=20)
    parser.add_argument('--single-view', action='store_true',
                        help='no scales and flips: many photos in little time')
    parser.add_argument('--turns', type=int, default=1, help='of each engine')
    parser.add_argument('--engines', nargs='+', choices=list(ENGINES),
                        default=list(ENGINES))
    parser.add_argument('--entries', type=int, nargs='+', default=[82081, 1000000])
    parser.add_argument('--json', help='file for the figures')
    return parser.parse_args()


def write_model(config: str, folder: str) -> tuple[str, list[str]]:
    """A checkpoint of random weights; its path and the classes."""
    import torch
    from mmengine.registry import init_default_scope
    from mmseg.registry import MODELS
    cfg = read_config(config)
    init_default_scope('mmseg')
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    classes = ['background'] + [f'class {i}' for i in range(1, model.num_classes)]
    path = osp.join(folder, 'model.pth')
    torch.save(dict(state_dict=model.state_dict(),
                    meta=dict(dataset_meta=dict(classes=classes))), path)
    return path, classes


def write_images(path: str, number: int, size: int, classes: list[str]) -> None:
    """A shard of smooth random JPEGs, two classes each."""
    import numpy as np
    from PIL import Image

    from mmwsss.shards import ShardRow, write_shard
    rng = np.random.default_rng(0)

    def rows() -> Iterator[ShardRow]:
        for i in range(number):
            small = Image.fromarray(rng.integers(0, 256, (6, 8, 3), np.uint8))
            file = io.BytesIO()
            small.resize((size, size)).save(file, 'JPEG')
            tags = [classes[1 + (i + j) % (len(classes) - 1)] for j in range(2)]
            yield ShardRow(f'{i:07}', image=file.getvalue(), tags=tags)

    write_shard(path, rows())


@contextmanager
def watched_memory() -> Iterator[list[tuple[float, float]]]:
    """Note seconds and MB of this process, twice a second."""
    import psutil
    process, end = psutil.Process(), threading.Event()
    points: list[tuple[float, float]] = []
    started = time.monotonic()

    def watch() -> None:
        while not end.wait(.5):
            points.append((time.monotonic() - started,
                           process.memory_info().rss / 1e6))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield points
    finally:
        end.set()
        thread.join()


def label(args: argparse.Namespace, folder: str, out: str, engine: str = 'plain',
          workers: int = 0) -> dict:
    """Label the images of a folder."""
    from mmwsss.apis import label_photos
    cfg = read_config(args.config)
    if args.single_view:
        cfg.seed_dataloader.dataset.pipeline = [
            dict(type='TestTimeAug', transforms=[
                [dict(type='RandomFlip', prob=0.)], [dict(type='PackWeakInputs')]])]
    return label_photos(
        cfg, osp.join(folder, 'model.pth'), osp.join(folder, 'in.parquet'), out,
        images_per_shard=args.images_per_shard, engine=engine, workers=workers,
        device='cpu', show_progress=False)


def in_turns(args: argparse.Namespace, folder: str,
             measure_engine: Callable[[argparse.Namespace, str, str, str], dict]
             ) -> dict[str, dict]:
    """The median of each figure of an engine; ``measure_engine(args, folder, out,
    name)`` takes one turn."""
    found: dict[str, list[dict]] = {name: [] for name in args.engines}
    for turn in range(args.turns):
        for name, turns in found.items():
            out = osp.join(folder, f'{name} {turn}')
            turns.append(measure_engine(args, folder, out, name))
    return {name: {key: statistics.median(one[key] for one in turns)
                   for key in turns[0]} for name, turns in found.items()}


def engine_pace(args: argparse.Namespace, folder: str, out: str, name: str) -> dict:
    """Photos a second of an engine."""
    began = time.time()
    label(args, folder, out, *ENGINES[name])
    files = sorted((
        entry for entry in os.scandir(osp.join(out, '.parts'))
        if entry.name.startswith('part')), key=lambda one: one.stat().st_mtime)
    ends = [entry.stat().st_mtime for entry in files]
    accounts = [read_json(entry.path) for entry in files]
    # The first part of each worker has the start of its libraries in it.
    spent = sorted(one['cpu_seconds'] for one in accounts)
    later = args.images - args.images_per_shard
    return dict(
        first_part_s=ends[0] - began, all_s=time.time() - began,
        images_per_s=later / (ends[-1] - ends[0]),
        cpu_ms_per_image=1000 * statistics.median(spent) / args.images_per_shard)


def engine_start(args: argparse.Namespace, folder: str, out: str, name: str) -> dict:
    """Seconds from the command to the first mask, with what Python imports."""
    engine, workers = ENGINES[name]
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, project_path('tools', 'label_photos.py'), args.config,
         osp.join(folder, 'model.pth'), '--input', osp.join(folder, 'in.parquet'),
         '--output', out, '--format', 'png', '--refiner', 'none', '--device', 'cpu',
         '--engine', engine, '--workers', str(workers), '--images-per-shard', '10'],
        stdout=subprocess.DEVNULL)
    while process.poll() is None and not glob.glob(osp.join(out, '*.png')):
        time.sleep(.02)
    seconds = time.monotonic() - began
    if process.wait():
        raise ChildProcessError(f'{name} ended with {process.returncode}')
    return dict(first_mask_s=seconds)


def memory(args: argparse.Namespace, folder: str) -> dict:
    """MB at each tenth of a run in this process."""
    with watched_memory() as points:
        label(args, folder, osp.join(folder, 'out'))
    tenths = [points[i * (len(points) - 1) // 10][1] for i in range(11)]
    return dict(mb_at_each_tenth=tenths, seconds=points[-1][0],
                images_per_s=args.images / points[-1][0])


def resume(args: argparse.Namespace, folder: str, classes: list[str]) -> dict:
    """Seconds until a run knows what is left of many entries; nothing is."""
    import psutil

    from mmwsss.apis.labelling.inputs import InputImages
    from mmwsss.apis.labelling.label_photos import label_settings, protocol
    from mmwsss.apis.labelling.outputs import LabelFolder
    from mmwsss.evaluation.label_checks import LabelSums
    from mmwsss.shards import ShardMeta, ShardRow, write_shard
    args.images_per_shard = 500
    found = {}
    for entries in args.entries:
        inputs, out = (osp.join(folder, f'{name}-{entries}') for name in ('in', 'out'))
        for start in range(0, entries, 100_000):
            write_shard(osp.join(inputs, f'{start:09}.parquet'), (
                ShardRow(f'{i:09}', path=f'photos/{i:09}.jpg', tags=classes[1:2])
                for i in range(start, min(start + 100_000, entries))),
                columns=('id', 'path', 'tags'))
        settings = label_settings(
            args.config, osp.join(folder, 'model.pth'), device='cpu')
        meta = ShardMeta(settings.classes, protocol(settings), {})
        images = InputImages(inputs)
        output = LabelFolder(out, 'parquet', meta)
        output.begin(dict(
            meta.protocol, classes=settings.classes, photos=images.digest(),
            tags=None, format='parquet', with_photos=False, photos_per_shard=500))
        for number in range(images.num_parts(500)):
            output.write_account(number, dict(
                sums=LabelSums(settings.classes).to_dict(), errors=[], seconds=0))
        os.rename(inputs, osp.join(folder, 'in.parquet'))
        before = psutil.Process().memory_info().rss / 1e6
        began = time.monotonic()
        with watched_memory() as points:
            label(args, folder, out)
        parquet_s = time.monotonic() - began
        images_list, table = (osp.join(folder, name) for name in ('l.txt', 't.csv'))
        ids = [f'{i:09}' for i in range(entries)]
        write_lines(images_list, (f'/photos/{one}.jpg' for one in ids))
        write_lines(table, (f'{one},{classes[1]}' for one in ids))
        began, busy = time.monotonic(), time.process_time()
        with watched_memory() as tables:
            InputImages(images_list, table).check_tags(classes, table)
        found[str(entries)] = dict(
            mb_before=before, parquet_s=parquet_s, parquet_mb=highest(points, before),
            list_and_table_s=time.monotonic() - began,
            list_and_table_cpu_s=time.process_time() - busy,
            list_and_table_mb=highest(tables, before))
        os.rename(osp.join(folder, 'in.parquet'), inputs)
    return found


def highest(points: list[tuple[float, float]], least: float) -> float:
    """The most MB that were seen."""
    return max((mb for _, mb in points), default=least)


def count_bytes(args: argparse.Namespace, folder: str, classes: list[str]) -> dict:
    """Bytes an image: of masks in shards, of PNGs, and of seeds."""
    import torch

    from mmwsss.apis.labelling.label_photos import label_settings
    from mmwsss.apis.labelling.operator import LabelImages
    from mmwsss.shards import load_image_bytes, open_shards
    from mmwsss.structures import encode_tags
    out = osp.join(folder, 'out')
    label(args, folder, out)
    shards = sum(entry.stat().st_size for entry in os.scandir(out)
                 if entry.name.startswith('part'))
    rows = [row for shard in open_shards(out) for row in shard.rows()]
    operator = LabelImages(label_settings(
        args.config, osp.join(folder, 'model.pth'), device='cpu'))
    seeds = dict(stride_4=0, full_size=0)
    with torch.no_grad():
        for row in next(iter(open_shards(osp.join(folder, 'in.parquet')))).rows():
            image = operator.seeds.decode(load_image_bytes(row), row.id)
            labels = encode_tags(row.tags or [], classes)
            sample = operator.seeds(row.id, image, labels)
            for name, seed in (('stride_4', sample.seed),
                               ('full_size', sample.full_seed)):
                path = osp.join(folder, 'seed.npz')
                seed.save(path)
                seeds[name] += osp.getsize(path)
    number = len(rows)
    return dict(masks_in_shards=shards / number,
                png=sum(len(row.mask or b'') for row in rows) / number,
                **{f'seed_{name}': size / number for name, size in seeds.items()})


def main(args: argparse.Namespace) -> None:
    """Measure."""
    with tempfile.TemporaryDirectory() as folder:
        _, classes = write_model(args.config, folder)
        if args.what != 'resume':
            write_images(osp.join(folder, 'in.parquet'), args.images, args.size,
                         classes)
        found = dict(
            engines=lambda: in_turns(args, folder, engine_pace),
            start=lambda: in_turns(args, folder, engine_start),
            memory=lambda: memory(args, folder),
            resume=lambda: resume(args, folder, classes),
            bytes=lambda: count_bytes(args, folder, classes))[args.what]()
    print(json.dumps(found, indent=1))
    if args.json:
        write_json(args.json, found)


if __name__ == '__main__':
    run_tool(parse_args, main)

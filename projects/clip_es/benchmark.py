# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""How long CLIP-ES takes, part by part, on a photo of noise.

Weights are random: they do not change the time. Of a folder of photos it says instead
how many passes through CLIP their batches take, in their own order and by size.

Example:
    PYTHONPATH=. python projects/clip_es/benchmark.py --tags 2 --device cuda --bf16
    PYTHONPATH=. OMP_NUM_THREADS=1 python projects/clip_es/benchmark.py --cpu-time
    PYTHONPATH=. python projects/clip_es/benchmark.py --images my_photos --batch 4
"""

from __future__ import annotations

if __name__ == '__main__':
    from mmwsss.ctrl_c import end_at_ctrl_c
    end_at_ctrl_c()

import argparse
from collections.abc import Callable
from time import perf_counter, process_time

from mmwsss.utils.arguments import ToolParser
from mmwsss.utils.entry_point import run_tool


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = ToolParser(__doc__)
    parser.add_argument('--arch', default='ViT-B-16-quickgelu', help='of open_clip')
    parser.add_argument('--size', type=int, nargs=2, default=(384, 512))
    parser.add_argument('--tags', type=int, default=2, help='tags of a photo')
    parser.add_argument('--batch', type=int, default=1, help='photos of one size')
    parser.add_argument('--repeat', type=int, default=3, help='the median counts')
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--bf16', action='store_true', help='blocks in half precision')
    parser.add_argument(
        '--cpu-time', action='store_true',
        help='seconds of all threads on the CPU, which others on the machine change '
        'less, instead of the clock\'s')
    parser.add_argument(
        '--images', '--photos', metavar='DIR', help='count passes instead')
    args = parser.parse_args()
    if min(args.tags, args.batch, args.repeat, *args.size) < 1:
        parser.error('sizes and numbers must be positive')
    if args.cpu_time and args.device != 'cpu':
        parser.error('--cpu-time is of --device cpu')
    return args


def medians(args: argparse.Namespace, *works: Callable[[], object]) -> list[float]:
    """The median seconds of calls, which take turns."""
    import torch
    clock = process_time if args.cpu_time else perf_counter
    times: list[list[float]] = [[] for _ in works]
    for _ in range(args.repeat + 1):
        for seconds, work in zip(times, works, strict=True):
            begin = clock()
            work()
            if args.device != 'cpu':
                torch.cuda.synchronize()
            seconds.append(clock() - begin)
    # The first turn warms up.
    return [sorted(seconds[1:])[args.repeat // 2] for seconds in times]


def count_passes(folder: str, batch: int) -> None:
    """Print how many batches of one size images make, as they are and by size."""
    from mmwsss.datasets.folder import find_images
    from mmwsss.datasets.image_io import read_image_size
    from projects.clip_es.resize_to_patches import patches_size
    paths = find_images(folder).values()
    begin = perf_counter()
    sizes = [patches_size(read_image_size(path), 16) for path in paths]
    seconds = perf_counter() - begin
    plain, sorted_ = (
        sum(len(set(order[i:i + batch])) for i in range(0, len(order), batch))
        for order in (sizes, sorted(sizes)))
    print(f'{len(sizes)} photos, {len(set(sizes))} sizes in patches, batches of '
          f'{batch}: {plain} passes in their own order, {sorted_} by size; headers '
          f'read in {seconds / len(sizes) * 1e3:.2f} ms a photo')


def main(args: argparse.Namespace) -> None:
    """Print the table."""
    if args.images:
        count_passes(args.images, args.batch)
        return
    import torch
    from rich import print as show
    from rich.table import Table

    from mmwsss.ops import class_aware_affinity, dense_crf
    from projects.clip_es import CLIPBackbone, CLIPESHead
    from projects.clip_es.clip_weights import encode_words, load_clip
    from projects.clip_es.prompts import BACKGROUND
    torch.manual_seed(0)
    height, width = args.size
    rows: list[tuple[str, float]] = []

    def measure(name: str, work: Callable[[], object], share: float = 1.) -> None:
        rows.append((name, share * medians(args, work)[0]))

    clip = load_clip(args.arch, 'random').to(args.device)
    with torch.no_grad():
        measure('words: 25 for background, once for all photos',
                lambda: encode_words(clip, BACKGROUND))
        words = encode_words(clip, [*BACKGROUND, *map(str, range(args.tags))])
    backbone = CLIPBackbone(args.arch).to(args.device)
    head = CLIPESHead(args.tags + 1, args.arch).to(args.device)
    images = torch.randn(args.batch, 3, height, width, device=args.device)

    def blocks(images: torch.Tensor = images) -> tuple:
        with torch.autocast(args.device, torch.bfloat16, enabled=args.bf16):
            return tuple(one.float() for one in backbone(images))

    feats = blocks()
    *_, patches, token, attention = feats
    per_image = 1 / args.batch
    works = {'blocks before the last': blocks}
    if args.batch > 1:
        works['blocks before the last, one photo at a time'] = lambda: tuple(
            blocks(one) for one in images.split(1))
    rows += zip(works, (per_image * one for one in medians(args, *works.values())),
                strict=True)
    for tags in (0, args.tags):
        present = torch.zeros(args.batch, args.tags, dtype=torch.bool)
        present[:, :tags] = True
        present = present.to(args.device)
        measure(f'last block, {tags} tags', lambda shown=present: head.grad_cam(
            patches, token, words[25:], words[:25], shown), per_image)
    mean = attention[0].mean(dim=0)[1:, 1:]
    cams = torch.rand(args.tags, height // 16, width // 16, device=args.device)
    measure(f'affinity of {args.tags} tags', lambda: class_aware_affinity(mean, cams))
    measure(f'affinity, anew for each of {args.tags} tags', lambda: [
        class_aware_affinity(mean, cam[None]) for cam in cams])
    image = torch.randint(256, (1, 3, height, width), dtype=torch.uint8)
    probs = torch.rand(1, args.tags + 1, height, width).softmax(dim=1)
    measure('dense CRF', lambda: dense_crf(
        probs, image, 10, gaussian=(1, 3), bilateral=(67, 3, 4)))
    table = Table('part', 'seconds a photo',
                  title=f'{args.arch}, {height} x {width}, batch {args.batch}, '
                  f'{args.tags} tags, {args.device}{" bf16" if args.bf16 else ""}')
    for name, seconds in rows:
        table.add_row(name, f'{seconds:.3f}')
    show(table)


if __name__ == '__main__':
    run_tool(parse_args, main)

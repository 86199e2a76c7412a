# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""What a random walk costs: with a dense matrix and without, by photo size.

    python tools/analysis_tools/benchmark_random_walk.py --sizes 192x256 375x500

Both walk 256 steps of radius 5 over random scores and boundaries at stride 4, the
dense one by eight squarings of the transition matrix, as IRN's code does it. Each
runs in a process of its own, in turns; time is the best turn's (on a CPU that of
all threads together, which other programs change little), memory the peak beyond
what the process held before (on a GPU what PyTorch allocated). All squarings take
the same time: --squarings 1 times one of them and multiplies by eight, marked with
"~". Where the dense walk is done in full, the results are compared.
"""

import argparse
import multiprocessing
import os
import tempfile
import time

import torch
from torch import Tensor

from mmwsss.ops import path_affinity, random_walk
from mmwsss.structures.seed import strided_size
from mmwsss.utils import write_json

RADIUS, BETA, SQUARINGS = 5, 10, 8


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        '--sizes', nargs='+', default=['192x256', '375x500', '480x640', '640x640'],
        help='photo sizes, HEIGHTxWIDTH')
    parser.add_argument(
        '--devices', nargs='+',
        default=['cpu'] + ['cuda'] * torch.cuda.is_available(),
        help='default: cpu, and cuda if there is one')
    parser.add_argument(
        '--classes', type=int, default=3, help='classes of each photo')
    parser.add_argument(
        '--squarings', type=int, default=SQUARINGS, choices=range(1, SQUARINGS + 1),
        help='squarings of the dense matrix that are done')
    parser.add_argument(
        '--dense-up-to', type=int, default=20000,
        help='pixels of the map from which on the dense walk is left out')
    parser.add_argument(
        '--repeat', type=int, default=3, help='turns; the best one counts')
    parser.add_argument('--out', help='JSON file for the figures')
    return parser.parse_args()


def make_inputs(size: tuple[int, int], classes: int,
                device: str) -> tuple[Tensor, Tensor]:
    """Random scores and boundaries at stride 4."""
    generator = torch.Generator().manual_seed(0)
    cells = strided_size(size)
    scores = torch.rand(1, classes, *cells, generator=generator)
    boundary = torch.rand(1, 1, *cells, generator=generator)**4
    return scores.to(device), boundary.to(device)


def dense_walk(scores: Tensor, boundary: Tensor, squarings: int) -> Tensor:
    """The walk by a dense transition matrix."""
    height, width = boundary.shape[2:]
    pixels = torch.arange(height * width, device=scores.device).view(height, width)
    matrix = torch.eye(height * width, device=scores.device)
    affinity, offsets = path_affinity(boundary, RADIUS)
    for values, (dy, dx) in zip(affinity[0], offsets.tolist(), strict=True):
        rows = slice(0, height - dy), slice(max(0, -dx), width - max(0, dx))
        first = pixels[rows].flatten()
        second = first + dy * width + dx
        matrix[first, second] = matrix[second, first] = values[rows].flatten()
    matrix.pow_(BETA)
    matrix /= matrix.sum(0, keepdim=True)
    for _ in range(squarings):
        matrix = matrix @ matrix
    start = (scores * (1 - boundary)).flatten(2)[0]
    return (start @ matrix).view_as(scores)


def resident_peak(reset: bool = False) -> int:
    """The most memory this process has held, in bytes (Linux).

    Args:
        reset (bool): Whether to forget what it held earlier.
    """
    if reset:
        with open('/proc/self/clear_refs', 'w') as file:
            file.write('5')
    with open('/proc/self/status') as file:
        line = next(line for line in file if line.startswith('VmHWM:'))
    return int(line.split()[1]) * 1024


def measure(kind: str, size: tuple[int, int], device: str, classes: int,
            squarings: int, path: str) -> dict:
    """Time and memory of one walk; its result goes to a file."""
    torch.set_num_threads(int(os.environ.get('OMP_NUM_THREADS', 0))
                          or torch.get_num_threads())
    # What the first call allocates for good does not count.
    random_walk(*make_inputs((16, 16), 1, device))
    torch.rand(64, 64, device=device) @ torch.rand(64, 64, device=device)
    inputs = make_inputs(size, classes, device)
    if device == 'cuda':
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
    else:
        before = resident_peak(reset=True)
    clock = time.perf_counter if device == 'cuda' else time.process_time
    start = clock()
    if kind == 'dense':
        result = dense_walk(*inputs, squarings)
    else:
        result = random_walk(*inputs, radius=RADIUS, beta=BETA,
                             steps=2**SQUARINGS)
    if device == 'cuda':
        torch.cuda.synchronize()
        peak = torch.cuda.max_memory_allocated()
    else:
        peak = resident_peak()
    seconds = clock() - start
    if kind == 'dense':
        seconds *= SQUARINGS / squarings
    torch.save(result.cpu(), path)
    return dict(seconds=seconds, megabytes=(peak - before) / 1e6)


def in_new_process(*args) -> dict:
    """Run :func:`measure` where nothing was allocated before."""
    # CUDA does not survive a fork; without it a fork saves all imports.
    device = args[2]
    context = multiprocessing.get_context('fork' if device == 'cpu' else 'spawn')
    with context.Pool(1) as pool:
        return pool.apply(measure, args)


def compare(size: tuple[int, int], device: str, args: argparse.Namespace) -> dict:
    """Measure both walks at one size, in turns."""
    cells = strided_size(size)
    kinds = ['ours']
    if cells[0] * cells[1] <= args.dense_up_to:
        kinds.append('dense')
    turns = {kind: [] for kind in kinds}
    with tempfile.TemporaryDirectory() as folder:
        paths = {kind: os.path.join(folder, f'{kind}.pt') for kind in kinds}
        for _ in range(args.repeat):
            for kind in kinds:
                turns[kind].append(
                    in_new_process(kind, size, device, args.classes,
                                   args.squarings, paths[kind]))
        figures = dict(height=size[0], width=size[1], device=device)
        for kind, runs in turns.items():
            figures[f'{kind}_seconds'] = min(run['seconds'] for run in runs)
            figures[f'{kind}_megabytes'] = max(run['megabytes'] for run in runs)
        if len(kinds) == 2:
            figures['ratio'] = figures['dense_seconds'] / figures['ours_seconds']
            if args.squarings == SQUARINGS:
                first, second = (
                    torch.load(path, weights_only=True) for path in paths.values())
                figures['largest_error'] = (first - second).abs().max().item()
    return figures


def main() -> None:
    """Measure and print a table."""
    args = parse_args()
    sign = '' if args.squarings == SQUARINGS else '~'
    print('| photo | device | dense (s) | ours (s) | ratio | dense (MB) | ours (MB) '
          '| largest difference |\n'
          '| --- | --- | --- | --- | --- | --- | --- | --- |')
    rows = []
    for size in args.sizes:
        height, width = map(int, size.split('x'))
        for device in args.devices:
            row = compare((height, width), device, args)
            rows.append(row)
            dense = 'dense_seconds' in row
            cells = [
                f'{width}x{height}', device,
                f'{sign}{row["dense_seconds"]:.2f}' if dense else '',
                f'{row["ours_seconds"]:.2f}',
                f'{sign}{row["ratio"]:.0f}' if dense else '',
                f'{row["dense_megabytes"]:.0f}' if dense else '',
                f'{row["ours_megabytes"]:.0f}',
                f'{row["largest_error"]:.0e}' if 'largest_error' in row else ''
            ]
            print('| ' + ' | '.join(cells) + ' |', flush=True)
    if args.out:
        write_json(args.out, rows)


if __name__ == '__main__':
    main()

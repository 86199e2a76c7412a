# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""How many times faster our code is than the straight way, in one run.

    python tools/analysis_tools/benchmark.py                     # everything
    python tools/analysis_tools/benchmark.py walk sweep --sizes 160 320
    python tools/analysis_tools/benchmark.py fsae --config configs/fsae/fsae_cam_demo.py

Both sides of a comparison take turns in one process; ratios are medians over the
turns with their range, "best" that of both sides' best turns. Quote the ratios,
not the times. Prints one table a comparison; --json keeps everything.
"""

if __name__ == '__main__':
    from mmwsss.ctrl_c import end_at_ctrl_c
    end_at_ctrl_c()

import argparse
import os
import platform
import warnings
from importlib import import_module

from benchmarks import COMPARISONS

import mmwsss
from mmwsss.utils import write_json
from mmwsss.utils.arguments import ToolParser
from mmwsss.utils.entry_point import run_tool


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = ToolParser(__doc__)
    parser.add_argument(
        'comparisons', nargs='*', metavar='COMPARISON',
        help=f'some of {", ".join(COMPARISONS)} (default: all)')
    parser.add_argument(
        '--sizes', type=int, nargs='+', default=[160, 320, 480, 640],
        help='long sides of images (default: 160 320 480 640)')
    parser.add_argument(
        '--classes', type=int, nargs='+', default=[3, 21, 81],
        help='numbers of classes with background (default: 3 21 81)')
    parser.add_argument(
        '--runs', type=int, default=5, help='turns that count (default: 5)')
    parser.add_argument(
        '--clock', choices=['wall', 'cpu'], default='wall',
        help='wall time, or processor time, which other programs disturb least '
        '(default: wall)')
    parser.add_argument(
        '--threads', type=int, default=1, help='of the CPU (default: 1)')
    parser.add_argument(
        '--device', default='cpu', help='but for crf, which compares CPU backends')
    parser.add_argument(
        '--config', help='the model of one comparison: seeds, sance or fsae')
    parser.add_argument('--images', '--photos', help='folder of images for crf')
    parser.add_argument(
        '--masks', help='folder of their masks (PNGs of class ids), for scores')
    parser.add_argument('--json', help='file for all figures')
    args = parser.parse_args()
    unknown = sorted(set(args.comparisons) - set(COMPARISONS))
    if unknown:
        parser.error(f'unknown comparison {", ".join(unknown)}; there are '
                     f'{", ".join(COMPARISONS)}')
    if args.config and len(args.comparisons) != 1:
        parser.error('--config is for one comparison: name it')
    if min(args.sizes) < 16 or min(args.classes) < 3 or args.runs < 1:
        parser.error('sizes must be at least 16, classes 3 and runs 1')
    args.comparisons = args.comparisons or list(COMPARISONS)
    return args


def machine(args: argparse.Namespace) -> str:
    """What the figures were measured on."""
    import torch
    device = 'CPU'
    if args.device != 'cpu':
        device = torch.cuda.get_device_name(args.device)
    return (f'mmwsss {mmwsss.__version__}, torch {torch.__version__}, Python '
            f'{platform.python_version()}, {device} '
            f'({platform.machine()}, {torch.backends.cpu.get_cpu_capability()}, '
            f'{os.cpu_count()} cores), {args.threads} threads, {args.clock} time')


HEAD = """| case | size | classes | slow side | fast side | ratio | best | |
| --- | --- | --- | --- | --- | --- | --- | --- |"""


def table_line(row: dict) -> str:
    """A row of a table in Markdown."""
    ratio = row['ratio']
    facts = ', '.join(
        f'{name.replace("_", " ")} '
        + (f'{value:.3g}' if isinstance(value, float) else str(value))
        for name, value in row['facts'].items())
    cells = (
        row['case'], row['size'] or '', row['classes'] or '', row['reference'],
        row['ours'],
        f'{ratio["median"]:.2f} ({ratio["min"]:.2f} to {ratio["max"]:.2f})',
        f'{ratio["best"]:.2f}', facts)
    return '| ' + ' | '.join(map(str, cells)) + ' |'


def main(args: argparse.Namespace) -> None:
    """Measure and print."""
    import torch
    warnings.simplefilter('ignore')
    torch.set_num_threads(args.threads)
    print(machine(args) + f', {args.runs} turns')
    rows = []
    for name in args.comparisons:
        module = import_module(f'benchmarks.{name}')
        print(f'\n### {module.__doc__.splitlines()[0]}\n\n{HEAD}', flush=True)
        try:
            for row in module.compare(args):
                print(table_line(row), flush=True)
                rows.append(row)
                if args.json:
                    write_json(args.json, dict(machine=machine(args), rows=rows))
        except ImportError as error:
            print(f'\n{name}, the rest is left out: {error}')


if __name__ == '__main__':
    run_tool(parse_args, main)

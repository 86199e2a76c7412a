# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Mean and range of the steps of a recipe that repeat each other with other seeds.

    python tools/analysis_tools/runs_table.py work_dirs/RECIPE

Steps whose names end in a number, such as score_seeds_cam_0 and score_seeds_cam_1, are
runs of one row. Steps that show the same numbers become one table in Markdown. Several
folders may hold parts of the runs.
"""

from __future__ import annotations

if __name__ == '__main__':
    from mmwsss.ctrl_c import end_at_ctrl_c
    end_at_ctrl_c()

import os.path as osp
import re
from collections import defaultdict
from typing import TYPE_CHECKING

from mmwsss.utils import read_json
from mmwsss.utils.arguments import ToolParser
from mmwsss.utils.entry_point import run_tool

if TYPE_CHECKING:
    import argparse

Runs = dict[str, dict[str, dict[str, float]]]
"""Row -> run -> metric -> value."""


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = ToolParser(__doc__)
    parser.add_argument('work_dirs', nargs='+', metavar='WORK_DIR',
                        help='folder of a recipe, with its summary.json')
    return parser.parse_args()


def read_runs(work_dirs: list[str]) -> Runs:
    """What the finished steps of recipes show, by row and run.

    Raises:
        ValueError: Naming the step, if two folders say different things of it, or the
            folders, if no step in them is a run.
    """
    rows: Runs = defaultdict(dict)
    for folder in work_dirs:
        for step in read_json(osp.join(folder, 'summary.json'))['steps']:
            name = re.fullmatch(r'(.+)_(\d+)', step['step'])
            shown = {key: step['metrics'][key] for key in step['numbers']}
            if not name or not shown or step['status'] not in ('done', 'unchanged'):
                continue
            row, run = name.groups()
            if rows[row].setdefault(run, shown) != shown:
                raise ValueError(f'{step["step"]} has other numbers in {folder}')
    if not any(rows.values()):
        raise ValueError(
            f'no finished step whose name ends in a number in {", ".join(work_dirs)}')
    return rows


def main(args: argparse.Namespace) -> None:
    """Print a table for each kind of step."""
    tables: dict[tuple[str, ...], Runs] = defaultdict(dict)
    for row, runs in read_runs(args.work_dirs).items():
        metrics = tuple(next(iter(runs.values())))
        tables[metrics][row] = runs
    for metrics, rows in tables.items():
        names = [metric.rpartition('/')[2] for metric in metrics]
        print(f'\n| | runs | {" | ".join(names)} |')
        print('| --- ' * (2 + len(names)) + '|')
        for row, runs in rows.items():
            cells = (spread([run[metric] for run in runs.values()])
                     for metric in metrics)
            print(f'| {row} | {len(runs)} | {" | ".join(cells)} |')


def spread(values: list[float]) -> str:
    """Mean and, of several runs, range."""
    mean = f'{sum(values) / len(values):.4g}'
    if len(values) == 1:
        return mean
    return f'{mean} ({min(values):.4g} to {max(values):.4g})'


if __name__ == '__main__':
    run_tool(parse_args, main)

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""What a pipeline says of its steps when it ends."""

import os.path as osp
from typing import TYPE_CHECKING, Any

from mmwsss.utils import atomic_write, read_json, write_json
from mmwsss.version import __version__

from .process import format_seconds
from .scalars import read_scalars
from .step_types import METRICS_FILE

if TYPE_CHECKING:
    from .recipe import Step
    from .runner import Pipeline

_MAX_NUMBERS = 4


def read_metrics(folder: str) -> dict[str, Any]:
    """What a step measured: its ``metrics.json``, or its last validation."""
    path = osp.join(folder, METRICS_FILE)
    if osp.isfile(path):
        return read_json(path)
    validations = read_scalars(folder).validation
    timings = ('time', 'data_time', 'step')
    return {
        key: value
        for key, value in (validations[-1] if validations else {}).items()
        if key not in timings
    }


def key_numbers(step: 'Step', record: dict) -> dict[str, str]:
    """The numbers of a step that are worth a line, formatted.

    Args:
        step (Step): The step; its ``show`` lists the metrics to pick, else the
            first few are taken.
        record (dict): What the state file holds of it.

    Returns:
        dict[str, str]: Metric -> number.
    """
    metrics = record.get('metrics') or {}
    numbers = {
        key: value
        for key, value in metrics.items()
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    }
    names = step.spec.get('show', list(numbers)[:_MAX_NUMBERS])
    return {name: f'{numbers[name]:.4g}' for name in names if name in numbers}


def write_summary(pipeline: 'Pipeline') -> None:
    """Print the table of steps and write ``summary.json`` and ``summary.md``."""
    rows = []
    for step in pipeline.recipe.steps:
        record = pipeline.record(step)
        status = pipeline.outcomes.get(step.name, record.get('status', 'not run'))
        rows.append(
            dict(
                step=step.name,
                type=step.type,
                status=status,
                seconds=record.get('seconds'),
                numbers=key_numbers(step, record),
                metrics=record.get('metrics', {})))
    total = sum(row['seconds'] or 0 for row in rows)
    write_json(
        osp.join(pipeline.work_dir, 'summary.json'),
        dict(
            recipe=pipeline.recipe.path,
            title=pipeline.recipe.title,
            version=__version__,
            protocol=pipeline.recipe.protocol,
            seconds=total,
            steps=rows))

    header = ('Step', 'Status', 'Time', 'Numbers')
    lines = [(
        row['step'],
        row['status'],
        '' if row['seconds'] is None else format_seconds(row['seconds']),
        ', '.join(f'{key} {value}' for key, value in row['numbers'].items()),
    ) for row in rows]
    lines.append(('', 'total', format_seconds(total), ''))
    with atomic_write(osp.join(pipeline.work_dir, 'summary.md'), 'w') as file:
        file.write(f'# {pipeline.recipe.title}\n\n')
        file.write(_markdown([header, ('---', ) * len(header), *lines]))
        if pipeline.recipe.protocol:
            file.write('\n')
        for key, value in pipeline.recipe.protocol.items():
            file.write(f'- {key}: {value}\n')

    from rich.console import Console
    from rich.table import Table
    table = Table(title=pipeline.recipe.title)
    for name in header:
        table.add_column(name, overflow='fold')
    for line in lines:
        table.add_row(*line)
    console = Console(markup=False)
    if not console.is_terminal:
        console.width = 120
    console.print(table)
    report = osp.join(pipeline.work_dir, 'report.html')
    if osp.exists(report):
        print(f'Report: {report}')


def _markdown(rows: list[tuple[str, ...]]) -> str:
    return ''.join('| ' + ' | '.join(row) + ' |\n' for row in rows)

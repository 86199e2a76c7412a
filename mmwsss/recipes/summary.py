# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""What a recipe says of its steps when it ends."""

import os.path as osp
from collections.abc import Mapping
from typing import Any

from mmwsss.utils import atomic_write, read_json, write_json
from mmwsss.utils.nested import innermost_dataset
from mmwsss.utils.views import read_views
from mmwsss.version import __version__

from .process import format_seconds
from .recipe import Recipe, Step, substitute
from .scalars import read_scalars
from .step_types import METRICS_FILE

_MAX_NUMBERS = 4


def read_metrics(folder: str) -> dict[str, Any]:
    """What a step measured: its ``metrics.json``, or its last validation.

    Raises:
        ValueError: Naming the file, if it holds no metrics.
    """
    path = osp.join(folder, METRICS_FILE)
    if osp.isfile(path):
        metrics = read_json(path)
        if not isinstance(metrics, dict):
            raise ValueError(f'{path} holds no metrics by name, but {metrics!r}')
        return metrics
    validations = read_scalars(folder).validation
    timings = ('time', 'data_time', 'step')
    return {
        key: value
        for key, value in (validations[-1] if validations else {}).items()
        if key not in timings
    }


def key_numbers(step: Step, record: dict) -> dict[str, str]:
    """The numbers of a step that are worth a line, formatted.

    Args:
        step (Step): The step; its ``show`` lists the metrics to pick, else the
            first few are taken.
        record (dict): What its ledger holds.

    Returns:
        dict[str, str]: Metric -> number, or a word where ``show`` names one.
    """
    metrics = record.get('metrics', {})
    numbers = {
        key: f'{value:.4g}'
        for key, value in metrics.items()
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    }
    shown = step.spec.get('show')
    if shown is None:
        return dict(list(numbers.items())[:_MAX_NUMBERS])
    words = {key: value for key, value in metrics.items() if isinstance(value, str)}
    return {name: {**words, **numbers}[name]
            for name in shown if name in numbers or name in words}


def read_headline(recipe: Recipe, records: dict[str, dict]) -> list[dict]:
    """The numbers at the top of the report, as far as they are measured.

    Args:
        recipe (Recipe): The recipe.
        records (dict): What the ledger of each step holds, by its name.

    Returns:
        list[dict]: Dicts of ``title``, ``value`` and, where the same model was trained
        on masks, ``full``, its number, and ``share``, what tags reach of it.
    """
    found = []
    values = recipe.values(records)
    for step in recipe.steps:
        for entry in step.spec.get('headline') or ():
            try:
                told = substitute(dict(entry), values)
            except ValueError:
                # Not measured yet.
                continue
            if told.get('full'):
                told['share'] = told['value'] / told['full']
            found.append(told)
    return found


def _describe(entry: dict) -> str:
    text = f'{entry["title"]}: {entry["value"]:.1f}'
    if 'share' in entry:
        text += (f', {entry["share"]:.2f} of full supervision '
                 f'({entry["full"]:.1f} with all masks)')
    return text


def report_facts(recipe: Recipe, step: Step, records: dict[str, dict]) -> dict:
    """What a report tells about the steps before it, beside its pictures.

    Args:
        recipe (Recipe): The recipe.
        step (Step): The report's step.
        records (dict): What the ledger of each step holds, by its name.
    """
    rows = [
        dict(_row(other, records[other.name]), name=other.name,
             folder=osp.relpath(recipe.folder(other.name), recipe.work_dir),
             protocol=records[other.name].get('metrics', {}).get('protocol'))
        for other in recipe.earlier(step)
    ]
    protocol = dict(recipe.protocol)
    scales = _scales_of(recipe, step)
    if scales:
        # What the steps did, whatever the recipe says of it.
        protocol['scales'] = scales
    files = {name: name for name in ('summary.md', 'summary.json')}
    return dict(title=recipe.title, protocol=protocol, steps=rows, files=files)


def _scales_of(recipe: Recipe, step: Step) -> str:
    """The views in which the steps before a report saw their images."""
    from mmengine.config import Config
    views: dict[str, list[str]] = {}
    for other in recipe.earlier(step):
        path = osp.join(recipe.work_dir, 'configs', f'{other.name}.py')
        if other.type in ('seeds', 'walk', 'test') and osp.isfile(path):
            config = Config.fromfile(path, import_custom_modules=False)
            told = step_views(other.type, config, bool(other.spec.get('tta')))
            if told:
                views.setdefault(told, []).append(other.name)
    return '; '.join(f'{told} for {", ".join(names)}' for told, names in views.items())


def step_views(step_type: str, config: Mapping[str, Any],
               tta: bool = False) -> str | None:
    """The views of a step that looks at images; None of others.

    Args:
        step_type (str): The step's type in a recipe.
        config (Mapping): Its resolved config.
        tta (bool): Whether a test takes ``tta_pipeline``. Defaults to False.

    Returns:
        str | None: Such as ``'0.5, 1, 1.5 and flips'``.
    """
    if step_type in ('seeds', 'walk'):
        pipeline = innermost_dataset(config.get('seed_dataloader')).get('pipeline')
    elif step_type == 'test' and tta:
        pipeline = config.get('tta_pipeline')
    elif step_type == 'test':
        pipeline = innermost_dataset(config.get('test_dataloader')).get('pipeline')
    else:
        return None
    if not pipeline:
        return None
    scales, flips = read_views(pipeline)
    return scales + ' and flips' * flips


def write_summary(recipe: Recipe, records: dict[str, dict],
                  outcomes: dict[str, str]) -> None:
    """Print the table of steps and write ``summary.json`` and ``summary.md``.

    Args:
        recipe (Recipe): The recipe.
        records (dict): What the ledger of each step holds, by its name.
        outcomes (dict): What became of the steps that had their turn.
    """
    rows = []
    for step in recipe.steps:
        record = records[step.name]
        status = outcomes.get(step.name, record.get('status', 'not run'))
        rows.append(dict(_row(step, record), step=step.name, status=status,
                         metrics=record.get('metrics', {})))
    total = sum(row['seconds'] or 0 for row in rows)
    headline = read_headline(recipe, records)
    write_json(
        osp.join(recipe.work_dir, 'summary.json'),
        dict(
            recipe=recipe.path,
            title=recipe.title,
            version=__version__,
            protocol=recipe.protocol,
            seconds=total,
            headline=headline,
            steps=rows))

    header = ('Step', 'Status', 'Time', 'Numbers')
    lines = [(
        row['step'],
        row['status'],
        '' if row['seconds'] is None else format_seconds(row['seconds']),
        ', '.join(f'{key} {value}' for key, value in row['numbers'].items()),
    ) for row in rows]
    lines.append(('', 'total', format_seconds(total), ''))
    with atomic_write(osp.join(recipe.work_dir, 'summary.md'), 'w') as file:
        file.write(f'# {recipe.title}\n\n')
        for row in (header, ('---', ) * len(header), *lines):
            file.write(f'| {" | ".join(row)} |\n')
        file.write('\n')
        for entry in headline:
            file.write(f'- {_describe(entry)}\n')
        for key, value in recipe.protocol.items():
            file.write(f'- {key}: {value}\n')
    _print_table(recipe, header, lines, list(map(_describe, headline)))


def _row(step: Step, record: dict) -> dict[str, Any]:
    return dict(type=step.type, seconds=record.get('seconds'),
                numbers=key_numbers(step, record))


def _print_table(recipe: Recipe, header: tuple, lines: list[tuple],
                 below: list[str]) -> None:
    from rich.console import Console
    from rich.table import Table
    table = Table(title=recipe.title)
    for name in header:
        table.add_column(name, overflow='fold')
    for line in lines:
        table.add_row(*line)
    console = Console(markup=False)
    if not console.is_terminal:
        console.width = 120
    console.print(table)
    print('\n'.join(below), end='\n' * bool(below))
    report = osp.join(recipe.work_dir, 'report.html')
    if osp.exists(report):
        print(f'Report: {report}')

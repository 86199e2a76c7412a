# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Curves of a training, and of seeds over their threshold."""

import glob
import os.path as osp
import re
from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from mmengine.config import Config

from mmwsss.recipes.scalars import read_scalars
from mmwsss.utils import read_json

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MAX_CURVES = 6
_NOT_PLOTTED = re.compile(
    r'time|step|threshold|memory|FPR|FNR|object_IoU|class_accuracy')


def training_figure(work_dir: str,
                    metrics: Sequence[str] | None = None) -> 'Figure':
    """Losses, and what the validations measured, over the iterations.

    Runs that were killed and resumed are joined; borders of stages are drawn.

    Args:
        work_dir (str): The folder of an mmengine training.
        metrics (Sequence[str], optional): Which validation metrics. Defaults
            to None, the first few.

    Returns:
        Figure: Of matplotlib; losses left, metrics right, the latter only if
        there was a validation.

    Raises:
        FileNotFoundError: If the folder is not one of a training.
    """
    from matplotlib.figure import Figure
    if not glob.glob(osp.join(glob.escape(work_dir), '*', 'vis_data')):
        raise FileNotFoundError(
            f'{work_dir} holds no */vis_data of a training')
    # A training shorter than the interval of the log has no losses.
    scalars = read_scalars(work_dir)
    parts = 2 if scalars.validation else 1
    figure = Figure(figsize=(6 * parts, 3), layout='constrained')
    axes = figure.subplots(1, parts, squeeze=False)[0]

    names = _names(scalars.training)
    losses = [name for name in names if 'loss' in name and name != 'loss']
    losses = losses[:_MAX_CURVES] if len(losses) > 1 else ['loss']
    for name in losses:
        _plot(axes[0], scalars.training, name, name.removeprefix('decode.'))
    axes[0].set(xlabel='iteration', ylabel='loss')
    if scalars.validation:
        if metrics is None:
            metrics = [name for name in _names(scalars.validation)
                       if not _NOT_PLOTTED.search(name)][:_MAX_CURVES]
        for name in metrics:
            _plot(axes[1], scalars.validation, name, name, marker='o')
        axes[1].set(xlabel='iteration', ylabel='%')
        axes[1].set_xlim(left=0)
    for part in axes:
        _mark_stages(part, _stages(work_dir))
        _finish(part)
    return figure


def threshold_figure(details: dict[str, str]) -> 'Figure':
    """Precision over recall, and mIoU over the threshold, of several seeds.

    Args:
        details (dict[str, str]): Title -> file written by ``--details`` of
            ``tools/evaluate_seeds.py``.

    Returns:
        Figure: Of matplotlib.
    """
    from matplotlib.figure import Figure
    figure = Figure(figsize=(12, 3), layout='constrained')
    left, right = figure.subplots(1, 2)
    for title, path in details.items():
        curve = read_json(path)['details']
        line, = left.plot(curve['recall'], curve['precision'], label=title)
        right.plot(curve['thresholds'], curve['mIoU'], label=title)
        scores = [-1 if score is None else score for score in curve['mIoU']]
        best = scores.index(max(scores))
        mark = dict(marker='o', color=line.get_color())
        left.plot(curve['recall'][best], curve['precision'][best], **mark)
        right.plot(curve['thresholds'][best], curve['mIoU'][best], **mark)
    left.set(xlabel='recall (%)', ylabel='precision (%)')
    right.set(xlabel='threshold', ylabel='mIoU (%)')
    for part in (left, right):
        _finish(part)
    return figure


def figure_svg(figure: 'Figure', key: str) -> str:
    """A figure as SVG for a page of either light or dark colours.

    Args:
        figure (Figure): Of matplotlib; its lines and letters take the colour
            of the text around it.
        key (str): Different for each figure of one page.

    Returns:
        str: The ``<svg>`` element.
    """
    import io

    import matplotlib.text
    placeholder = '#010203'
    figure.patch.set_alpha(0)
    for part in figure.axes:
        part.patch.set_alpha(0)
        part.tick_params(colors=placeholder)
        part.spines[:].set_color(placeholder)
        for text in part.findobj(matplotlib.text.Text):
            text.set_color(placeholder)
    stream = io.StringIO()
    with matplotlib.rc_context({'svg.hashsalt': key, 'svg.fonttype': 'none'}):
        figure.savefig(stream, format='svg', metadata={'Date': None})
    svg = stream.getvalue()
    svg = svg[svg.index('<svg'):].replace(placeholder, 'currentColor')
    return re.sub(r'<metadata>.*?</metadata>', '', svg, flags=re.DOTALL)


def _names(entries: list[dict]) -> list[str]:
    return list(dict.fromkeys(
        name for entry in entries for name, value in entry.items()
        if isinstance(value, (int, float))))


def _plot(part, entries: list[dict], name: str, label: str, **style) -> None:
    points = [(entry['step'], entry[name]) for entry in entries
              if isinstance(entry.get(name), (int, float))]
    if len(points) == 1:
        # A line of one point would not show.
        style.setdefault('marker', 'o')
    if points:
        part.plot(*zip(*points, strict=True), label=label, linewidth=1.3,
                  markersize=3.5, **style)


def _stages(work_dir: str) -> list[tuple[str, int]]:
    """Name and last iteration of each stage, if the training had stages."""
    for path in sorted(glob.glob(osp.join(glob.escape(work_dir), '*.py'))):
        cfg = Config.fromfile(path, import_custom_modules=False)
        for hook in cfg.get('custom_hooks') or []:
            if 'stages' in hook:
                ends = accumulate(stage['iters'] for stage in hook['stages'])
                return [(stage['name'], end) for stage, end in
                        zip(hook['stages'], ends, strict=True)]
    return []


def _mark_stages(part, stages: list[tuple[str, int]]) -> None:
    begin = 0
    for name, end in stages:
        if end != stages[-1][1]:
            part.axvline(end, color='#888888', linewidth=0.8, linestyle=':')
        if end - begin > 0.1 * stages[-1][1]:
            part.text((begin + end) / 2, 1.02, name, ha='center', fontsize=8,
                      transform=part.get_xaxis_transform())
        begin = end


def _finish(part) -> None:
    part.grid(color='#888888', alpha=0.25)
    part.spines[['top', 'right']].set_visible(False)
    part.tick_params(labelsize=8)
    part.xaxis.label.set_size(9)
    part.yaxis.label.set_size(9)
    if part.get_legend_handles_labels()[0]:
        part.legend(fontsize=8, frameon=False, loc='upper left',
                    bbox_to_anchor=(1, 1))

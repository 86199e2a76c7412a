# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Time several ways of doing one thing in turns, and tell their ratio.

Other programs slow a machine down for seconds or minutes. Sides that take turns
are slowed alike, so that the ratio within a turn says more than any time.
"""

import statistics
import time
from collections.abc import Callable
from typing import Any

import torch

CLOCKS = dict(wall=time.perf_counter, cpu=time.process_time)


def alternate(sides: dict[str, Callable[[], Any]], runs: int,
              clock: str = 'wall', warm_up: int = 1) -> tuple[dict, dict]:
    """Call each side once a turn.

    Every other turn goes through the sides backwards, so that none always has
    the caches that another left.

    Args:
        sides (dict[str, Callable]): What to time, by name.
        runs (int): Number of turns that count.
        clock (str): ``'wall'``, or ``'cpu'`` for the processor time of this
            process and all its threads, which other programs disturb least.
            Time on a GPU is always wall time.
        warm_up (int): Number of turns before those. Defaults to 1.

    Returns:
        tuple[dict[str, list[float]], dict[str, Any]]: Seconds of each side in
        each turn, and what each returned last.
    """
    # Only by what runs on a GPU.
    cuda = torch.cuda.is_initialized()
    now = CLOCKS['wall' if cuda else clock]
    seconds, results = {name: [] for name in sides}, {}
    for turn in range(-warm_up, runs):
        names = list(sides)[::-1 if turn % 2 else 1]
        for name in names:
            if cuda:
                torch.cuda.synchronize()
            start = now()
            results[name] = sides[name]()
            if cuda:
                torch.cuda.synchronize()
            if turn >= 0:
                seconds[name].append(now() - start)
    return seconds, results


def image_size(long_side: int) -> tuple[int, int]:
    """Height and width of a landscape image, 3 to 4."""
    return long_side * 3 // 4, long_side


def ratio_row(comparison: str, case: str, seconds: dict[str, list[float]],
              reference: str, ours: str, size: int | None = None,
              classes: int | None = None, **facts) -> dict:
    """One line of a table: how many times faster one side is than another.

    Args:
        comparison (str): Its name.
        case (str): What was worked on, in words.
        seconds (dict[str, list[float]]): Of :func:`alternate`.
        reference (str): The side that ours is measured against.
        ours (str): The other side.
        size (int, optional): Long side of the image, for growth by size.
        classes (int, optional): Number of classes, for growth by classes.
        **facts: Further figures, such as ``difference=1e-7``: strings and
            numbers.

    Returns:
        dict: The arguments, with ``seconds`` and ``ratio`` (the reference's time
        by ours) as dicts of ``median``, ``min`` and ``max`` over the turns;
        ``ratio['best']`` is that of both sides' best turns.
    """
    pairs = list(zip(seconds[reference], seconds[ours], strict=True))
    ratio = _spread([theirs / mine for theirs, mine in pairs])
    ratio['best'] = min(seconds[reference]) / min(seconds[ours])
    return dict(
        comparison=comparison, case=case, size=size, classes=classes,
        reference=reference, ours=ours, runs=len(pairs), ratio=ratio,
        seconds={name: _spread(seconds[name]) for name in (reference, ours)},
        facts=facts)


def _spread(values: list[float]) -> dict[str, float]:
    return dict(median=statistics.median(values), min=min(values),
                max=max(values))

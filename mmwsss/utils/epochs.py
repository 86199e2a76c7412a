# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""From epochs to iterations, in a config."""

import math
import sys
from collections.abc import Iterator
from typing import Any


def has_epochs(cfg: Any) -> bool:
    """Whether the length of a config's training is given in epochs."""
    return 'epochs' in (cfg.get('train_cfg') or {}) or any(
        'epochs' in stage for stage in stages_of(cfg))


def resolve_epochs(cfg: Any, num_images: int, processes: int = 1) -> None:
    """Turn ``epochs`` of a config into iterations, in place.

    ``train_cfg`` may have ``epochs``, and so may each stage of a
    :class:`StageSwitchHook`, instead of ``max_iters`` and ``iters``. An epoch is
    as many iterations as batches of all processes hold the training images.
    ``min_iters`` beside it is a lower bound: a network learns little in three
    epochs of 20 images. ``cap_iters`` is an upper bound, and the last word: where
    images are many, fewer epochs teach as much. Schedulers end as long after the last
    iteration as they did before, and validations are as many.

    Args:
        cfg (Config): The config; without ``epochs`` it stays as it is.
        num_images (int): How many images are trained on.
        processes (int): How many processes train. Defaults to 1.

    Raises:
        ValueError: If ``epochs``, ``min_iters`` or ``cap_iters`` is no positive
            number.
    """
    if not has_epochs(cfg):
        return
    loop = cfg['train_cfg']
    epoch = _epoch(cfg, num_images, processes)
    for stage in stages_of(cfg):
        if 'epochs' in stage:
            stage['iters'] = _iterations(stage, epoch)
    if 'epochs' in loop:
        total = _iterations(loop, epoch)
    else:
        total = sum(stage['iters'] for stage in stages_of(cfg))
    before = loop.get('max_iters', total)
    interval = loop.get('val_interval', before)
    loop['max_iters'] = total
    loop['val_interval'] = max(1, round(total * min(interval / before, 1)))
    schedulers = cfg.get('param_scheduler') or []
    for one in schedulers if isinstance(schedulers, list) else [schedulers]:
        if 'end' in one:
            one['end'] += total - before


def shortened(cfg: Any, num_images: int,
              processes: int = 1) -> dict[str, tuple[float, float]]:
    """Which parts of a training ``cap_iters`` cuts short.

    Args:
        cfg (Config): The config, with epochs.
        num_images (int): How many images are trained on.
        processes (int): How many processes train. Defaults to 1.

    Returns:
        dict[str, tuple]: The epochs that are left of each, and those that it has
        without the cap, by the name of its stage ('' of a training without stages).
    """
    epoch = _epoch(cfg, num_images, processes)
    parts = {'': cfg['train_cfg'],
             **{stage['name']: stage for stage in stages_of(cfg)}}
    return {name: (part['cap_iters'] / epoch, part['epochs'])
            for name, part in parts.items() if 'epochs' in part
            and part.get('cap_iters', math.inf) < part['epochs'] * epoch}


def _epoch(cfg: Any, num_images: int, processes: int) -> float:
    return num_images / (cfg['train_dataloader']['batch_size'] * processes)


def stages_of(cfg: Any) -> Iterator[dict]:
    """The stages of a training, where it has some."""
    for hook in cfg.get('custom_hooks') or []:
        yield from hook.get('stages', [])


def _iterations(settings: dict, epoch: float) -> int:
    """Take ``epochs`` and its bounds out of settings; return iterations."""
    epochs = settings.pop('epochs')
    # A bound that is not there: what changes nothing.
    bounds = dict(min_iters=settings.pop('min_iters', 1),
                  cap_iters=settings.pop('cap_iters', sys.maxsize))
    for name, value in (('epochs', epochs), *bounds.items()):
        if not isinstance(value, (int, float)) or not 0 < value < math.inf:
            raise ValueError(f'{name} must be a positive number, got {value!r}')
    iterations = max(math.ceil(epochs * epoch), int(bounds['min_iters']))
    return max(1, min(iterations, int(bounds['cap_iters'])))

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""From epochs to iterations, in a config."""

import math
from collections.abc import Iterator
from typing import Any


def has_epochs(cfg: Any) -> bool:
    """Whether the length of a config's training is given in epochs."""
    return 'epochs' in (cfg.get('train_cfg') or {}) or any(
        'epochs' in stage for stage in _stages(cfg))


def resolve_epochs(cfg: Any, num_images: int, processes: int = 1) -> None:
    """Turn ``epochs`` of a config into iterations, in place.

    ``train_cfg`` may have ``epochs``, and so may each stage of a
    :class:`StageSwitchHook`, instead of ``max_iters`` and ``iters``. An epoch is
    as many iterations as batches of all processes hold the training images.
    ``min_iters`` beside it is a lower bound: a network learns little in three
    epochs of 20 photos. Schedulers end as long after the last iteration as they
    did before, and validations are as many.

    Args:
        cfg (Config): The config; without ``epochs`` it stays as it is.
        num_images (int): How many images are trained on.
        processes (int): How many processes train. Defaults to 1.

    Raises:
        ValueError: If ``epochs`` or ``min_iters`` is no positive number.
    """
    if not has_epochs(cfg):
        return
    loop = cfg['train_cfg']
    epoch = num_images / (cfg['train_dataloader']['batch_size'] * processes)
    for stage in _stages(cfg):
        if 'epochs' in stage:
            stage['iters'] = _iterations(stage, epoch)
    if 'epochs' in loop:
        total = _iterations(loop, epoch)
    else:
        total = sum(stage['iters'] for stage in _stages(cfg))
    before = loop.get('max_iters', total)
    interval = loop.get('val_interval', before)
    loop['max_iters'] = total
    loop['val_interval'] = max(1, round(total * min(interval / before, 1)))
    schedulers = cfg.get('param_scheduler') or []
    for one in schedulers if isinstance(schedulers, list) else [schedulers]:
        if 'end' in one:
            one['end'] += total - before


def _stages(cfg: Any) -> Iterator[dict]:
    for hook in cfg.get('custom_hooks') or []:
        yield from hook.get('stages', [])


def _iterations(settings: dict, epoch: float) -> int:
    """Take ``epochs`` and ``min_iters`` out of settings; return iterations."""
    epochs, least = settings.pop('epochs'), settings.pop('min_iters', 1)
    for name, value in (('epochs', epochs), ('min_iters', least)):
        if not isinstance(value, (int, float)) or not 0 < value < math.inf:
            raise ValueError(f'{name} must be a positive number, got {value!r}')
    return max(math.ceil(epochs * epoch), int(least))

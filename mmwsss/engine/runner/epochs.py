# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Schedules that count in epochs, for data sets of any size."""

import math
import os
from collections.abc import Iterator

from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import DATASETS

_PROCESSES = dict(
    pytorch='WORLD_SIZE', slurm='SLURM_NTASKS', mpi='OMPI_COMM_WORLD_SIZE')


def count_epochs(cfg: Config, num_images: int | None = None) -> None:
    """Turn ``epochs`` of a config into iterations, in place.

    ``train_cfg`` may have ``epochs``, and so may each stage of a
    :class:`StageSwitchHook`, instead of ``max_iters`` and ``iters``. An epoch is
    as many iterations as batches of all processes hold the training images.
    ``min_iters`` beside it is a lower bound: a network learns little in three
    epochs of 20 photos. Schedulers end as long after the last iteration as they
    did before, and validations are as many.

    Args:
        cfg (Config): The config; without ``epochs`` it stays as it is.
        num_images (int, optional): How many images one epoch has. Defaults to
            None: those of ``train_dataloader``, which is built to count them.

    Raises:
        ValueError: If ``epochs`` or ``min_iters`` is no positive number.
    """
    loop = cfg.get('train_cfg') or {}
    stages = [stage for stage in _stages(cfg) if 'epochs' in stage]
    if 'epochs' not in loop and not stages:
        return
    loader = cfg.train_dataloader
    if num_images is None:
        init_default_scope(cfg.get('default_scope', 'mmseg'))
        num_images = len(DATASETS.build(dict(loader.dataset, pipeline=[])))
    processes = int(os.environ.get(_PROCESSES.get(cfg.get('launcher', ''), ''), 1))
    epoch = num_images / (loader.batch_size * processes)
    for stage in stages:
        stage['iters'] = _iterations(stage, epoch)
    if 'epochs' in loop:
        total = _iterations(loop, epoch)
    else:
        total = sum(stage['iters'] for stage in _stages(cfg))
    before = loop.get('max_iters', total)
    interval = loop.get('val_interval', before)
    loop.max_iters = total
    loop.val_interval = max(1, round(total * min(interval / before, 1)))
    schedulers = cfg.get('param_scheduler') or []
    for one in schedulers if isinstance(schedulers, list) else [schedulers]:
        if 'end' in one:
            one['end'] += total - before


def _stages(cfg: Config) -> Iterator[dict]:
    for hook in cfg.get('custom_hooks') or []:
        yield from hook.get('stages', [])


def _iterations(settings: dict, epoch: float) -> int:
    """Take ``epochs`` and ``min_iters`` out of settings; return iterations."""
    epochs, least = settings.pop('epochs'), settings.pop('min_iters', 1)
    for name, value in (('epochs', epochs), ('min_iters', least)):
        if not isinstance(value, (int, float)) or not value > 0:
            raise ValueError(f'{name} must be a positive number, got {value!r}')
    return max(math.ceil(epochs * epoch), int(least))

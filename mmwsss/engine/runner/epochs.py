# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Schedules that count in epochs, for data sets of any size."""

import os

from mmengine.config import Config

from mmwsss.datasets.image_ids import image_dataset
from mmwsss.utils.epochs import has_epochs, resolve_epochs

_PROCESSES = dict(
    pytorch='WORLD_SIZE', slurm='SLURM_NTASKS', mpi='OMPI_COMM_WORLD_SIZE')


def count_epochs(cfg: Config) -> None:
    """Turn ``epochs`` of a config into iterations over its training images.

    Args:
        cfg (Config): The config, changed in place, see
            :func:`mmwsss.utils.epochs.resolve_epochs`.

    Raises:
        ValueError: If ``epochs`` or one of its bounds is no positive number.
    """
    if not has_epochs(cfg):
        return
    images = image_dataset(cfg, cfg.train_dataloader.dataset)
    processes = os.environ.get(_PROCESSES.get(cfg.get('launcher', ''), ''), '1')
    resolve_epochs(cfg, len(images), int(processes))

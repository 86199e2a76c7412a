# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Schedules that count in epochs, for data sets of any size."""

import os

from mmengine.config import Config

from mmwsss.datasets.image_ids import image_dataset
from mmwsss.utils.epochs import has_epochs, resolve_epochs

from .setup import STARTED_BY


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
    _, names = STARTED_BY.get(cfg.get('launcher'), ('', {}))
    processes = os.environ.get(names.get('WORLD_SIZE', ''), '1')
    resolve_epochs(cfg, len(images), int(processes))

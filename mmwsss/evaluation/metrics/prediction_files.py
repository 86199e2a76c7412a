# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Counting predictions that lie on disk, in worker processes."""

import os.path as osp
from collections.abc import Callable

import torch
from mmseg.registry import METRICS
from torch import Tensor

from mmwsss.datasets.image_io import read_mask
from mmwsss.datasets.transforms import LoadMask
from mmwsss.structures import Seed

from .confusion_metric import image_id


def prediction_file(folder: str, info: dict, seeds: bool) -> str:
    """The seed or label map of an image in a folder."""
    return osp.join(folder, image_id(info) + ('.npz' if seeds else '.png'))


def count_setup(metric: dict, meta: dict, folder: str,
                seeds: bool) -> Callable:
    """Build what counts images.

    Args:
        metric (dict): Config of a ``SeedMetric`` or ``MaskMetric``.
        meta (dict): The dataset's meta information.
        folder (str): Where the predictions are.
        seeds (bool): Whether they are seeds; else label maps.

    Returns:
        Callable: From a list of a dataset's samples to their number and their
        confusion (np.ndarray, int64). Errors name the file.
    """
    metric = METRICS.build(metric)
    metric.dataset_meta = meta
    load_mask = LoadMask()

    def count_one(info: dict) -> Tensor:
        path = prediction_file(folder, info, seeds)
        if seeds:
            seed = Seed.load(path)
            size, sample = seed.size, dict(full_seed=seed)
        else:
            pred = torch.from_numpy(read_mask(path))
            size, sample = pred.shape, dict(pred_sem_seg=dict(data=pred[None]))
        try:
            gt = load_mask(dict(info, ori_shape=tuple(size)))['gt_seg_map']
            return metric.count(sample, torch.from_numpy(gt))
        except ValueError as error:
            raise ValueError(f'{path}: {error}') from error

    def count(infos: list[dict]) -> tuple:
        return len(infos), sum(count_one(info) for info in infos).numpy()

    return count

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Scoring predictions that lie on disk, in worker processes."""

import os.path as osp
from collections.abc import Callable, Sequence
from functools import reduce

import torch
from mmengine.config import Config, ConfigDict
from mmseg.registry import DATASETS, METRICS
from torch import Tensor

from mmwsss.datasets import BaseWeakSegDataset
from mmwsss.datasets.image_ids import image_id
from mmwsss.datasets.image_io import read_mask
from mmwsss.datasets.transforms import LoadMask
from mmwsss.structures import Seed
from mmwsss.utils import naming


def scoring_dataset(dataset: dict, cfg: Config) -> dict:
    """A dataset's config with the masks that there are.

    Datasets with image labels hold masks only if asked, and those that seeds
    are made of may not even know where; then the validation set does. Other
    datasets always hold masks.

    Args:
        dataset (dict): Config of the dataset.
        cfg (Config): The whole config.
    """
    config = ConfigDict(dataset)
    kind = config.type
    if isinstance(kind, str):
        kind = DATASETS.get(kind)
    if kind is None or not issubclass(kind, BaseWeakSegDataset):
        return config
    prefix = ConfigDict(config.get('data_prefix') or {})
    if prefix and 'seg_map_path' not in prefix:
        validation = (cfg.get('val_dataloader') or {}).get('dataset', {})
        masks = validation.get('data_prefix', {}).get('seg_map_path')
        if masks is None:
            raise ValueError('neither the dataset nor val_dataloader has '
                             "data_prefix['seg_map_path']: where are the "
                             'masks?')
        config.data_prefix = ConfigDict(prefix, seg_map_path=masks)
    if not config.get('with_masks', False):
        config.with_masks = 'available'
    return config


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
        Callable: From a list of a dataset's samples to their number and the sum
        of what the metric counts (np.ndarray, int64). Errors name the file.
    """
    scorer = METRICS.build(metric)
    scorer.dataset_meta = meta
    load_mask = LoadMask()

    def count_one(info: dict) -> Tensor:
        path = prediction_file(folder, info, seeds)
        size: Sequence[int]
        sample: dict
        if seeds:
            seed = Seed.load(path)
            size, sample = seed.size, dict(full_seed=seed)
        else:
            pred = torch.from_numpy(read_mask(path))
            size, sample = pred.shape, dict(pred_sem_seg=dict(data=pred[None]))
        with naming(path):
            gt = load_mask(dict(info, ori_shape=tuple(size)))['gt_seg_map']
            return scorer.count(sample, torch.from_numpy(gt))

    def count(infos: list[dict]) -> tuple:
        return len(infos), reduce(torch.add, map(count_one, infos)).numpy()

    return count

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""What the comparisons of training steps share."""

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from mmwsss.utils import project_path, read_config


def training_config(args, default: tuple[str, ...]) -> Config:
    """The config to compare, with its scope set."""
    cfg = read_config(args.config or project_path('configs', *default))
    init_default_scope(cfg.get('default_scope', 'mmseg'))
    return cfg


def without_weights(cfg: Config) -> dict:
    """The model's config without weights to load."""
    model = cfg.model.to_dict()
    model['backbone'].pop('init_cfg', None)
    if model['backbone'].get('pretrained'):
        model['backbone']['pretrained'] = False
    return model


def random_model(cfg: Config) -> dict:
    """The model's config without weights to load, for batches of any size."""
    model = without_weights(cfg)
    model['data_preprocessor'].update(size=None, size_divisor=1)
    return model


def random_batch(number: int, size: int, classes: int) -> dict:
    """Smooth images with two classes each, masks of these, and strong views."""
    rng = np.random.default_rng(0)
    batch = dict(inputs=[], data_samples=[])
    for i in range(number):
        labels = np.zeros(classes, np.uint8)
        labels[[0, 1 + i % (classes - 1), 1 + (i + 1) % (classes - 1)]] = 1
        mask = _grow(rng.choice([*np.flatnonzero(labels), 255], (8, 8)), size)
        image, strong = (
            torch.from_numpy(
                _grow(rng.integers(0, 256, (3, 16, 16)), size).astype(np.uint8))
            for _ in range(2))
        sample = SegDataSample(
            metainfo=dict(img_path=f'{i}.jpg', tags=labels),
            strong_img=PixelData(data=strong),
            gt_sem_seg=PixelData(data=torch.from_numpy(mask[None]).long()))
        batch['inputs'].append(image)
        batch['data_samples'].append(sample)
    return batch


def _grow(coarse: np.ndarray, size: int) -> np.ndarray:
    """The nearest value of each pixel of a square."""
    rows = np.arange(size) * coarse.shape[-1] // size
    return coarse[..., rows[:, None], rows]

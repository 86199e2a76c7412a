# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Predicted samples for the tests of metrics; imported by their processes."""

import json
import os

import numpy as np
import torch
from torch import distributed

from mmwsss.structures import Seed

CLASSES = ('background', 'cat', 'dog', 'cow')
THRESHOLDS = (.1, .25, .5)


def make_sample(index, size=(9, 12)):
    """One image: two tags, a seed of coarse scores, a mask with 255."""
    rng = np.random.default_rng(index)
    labels = np.sort(rng.permutation([1, 2, 3])[:2])
    tags = np.zeros(4, np.uint8)
    tags[[0, *labels]] = 1
    gt = rng.choice([0, *labels, 255], size=(1, *size))
    scores = rng.integers(0, 9, (2, *size)).astype(np.float32) / 8
    seed = Seed(scores, labels, size)
    pred = seed.to_mask(.3)[None].long()
    pred[0, 0, 0] = 255
    return dict(
        img_path=f'photos/{index}.jpg',
        img_id=str(index),
        ori_shape=size,
        tags=tags,
        full_seed=seed,
        gt_sem_seg=dict(data=torch.from_numpy(gt)),
        pred_sem_seg=dict(data=pred),
        pred_label_scores=torch.from_numpy(rng.random(3)).float())


def build(metric, **kwargs):
    from mmwsss.evaluation.metrics import MaskMetric, SeedMetric
    if metric == 'seed':
        built = SeedMetric(**{'thresholds': THRESHOLDS, **kwargs})
    else:
        built = MaskMetric(**kwargs)
    built.dataset_meta = dict(classes=CLASSES)
    return built


def score(metric, indices, num_images, **kwargs):
    metric = build(metric, **kwargs)
    for index in indices:
        metric.process({}, [make_sample(index)])
    return metric.evaluate(num_images)


def run_process(rank, world_size, folder):
    """Score with mmengine's sampler, which repeats images; and too much."""
    from mmengine.dataset import DefaultSampler
    distributed.init_process_group(
        'gloo', rank=rank, world_size=world_size,
        init_method=f'file://{folder}/store')
    results = {}
    for num_images in (1, 5, 6):
        for round_up in (True, False):
            indices = list(
                DefaultSampler(
                    range(num_images), shuffle=False, round_up=round_up))
            results[f'{num_images} {round_up}'] = [
                score(metric, indices, num_images)
                for metric in ('seed', 'mask')
            ]
    try:
        score('seed', [0, 1, 2 + rank], 4)
        results['overlap'] = 'accepted'
    except RuntimeError as error:
        results['overlap'] = str(error)
    with open(os.path.join(folder, f'{rank}.json'), 'w') as file:
        json.dump(results, file)
    distributed.destroy_process_group()

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Seeds with a background of their own: labels, walks and scores, as SIPE needs."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.structures import PixelData

from mmwsss.evaluation.metrics import MaskMetric, SeedMetric
from mmwsss.models.refiners import IRNLabel, RandomWalk, WalkLabel
from mmwsss.ops import random_walk
from mmwsss.structures import Seed

SIZE = (22, 30)


def make_seed(size=SIZE, background=True, seed=0):
    generator = torch.Generator().manual_seed(seed)
    maps = torch.rand(3, *size, generator=generator)
    return Seed(maps[1:], [2, 5], SIZE, maps[0] if background else None)


class Keep(torch.nn.Module):
    """A refiner that keeps scores and remembers them."""

    has_background = True

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, scores, guide):
        self.seen.append(scores[0])
        return scores


def test_labels_by_two_backgrounds():
    seed, keep = make_seed(), Keep()
    label = IRNLabel(refiner=keep, background_factor=0.5)(
        seed, torch.zeros(3, *SIZE))
    ids = [0, 2, 5]
    for y in range(SIZE[0]):
        for x in range(SIZE[1]):
            values = [seed.background[y, x].item(), *seed.scores[:, y, x].tolist()]
            sure = ids[int(np.argmax(values))]
            weaker = ids[int(np.argmax([values[0] / 2, *values[1:]]))]
            expected = sure or (0 if weaker == 0 else 255)
            assert label[y, x] == expected
    assert {0, 2, 5, 255} == set(label.unique().tolist())
    # The refiner sees both, as a CRF does.
    torch.testing.assert_close(keep.seen[0][0], 2 * keep.seen[1][0])
    torch.testing.assert_close(keep.seen[0][1:], keep.seen[1][1:])


def test_background_factor_is_checked():
    with pytest.raises(ValueError, match=r'background_factor must lie in \[0, 1\]'):
        IRNLabel(background_factor=1.5)
    with pytest.raises(ValueError, match='this seed has no background map'):
        IRNLabel(refiner=None, background_factor=0.5)(
            make_seed(background=False), torch.zeros(3, *SIZE))


@pytest.mark.parametrize('size', [(6, 8), SIZE])
def test_the_background_walks_as_a_class(size):
    """Stride-4 seeds walk as they are, others at the size of the boundaries."""
    seed = make_seed(size)
    boundary = torch.rand(1, 1, 6, 8, generator=torch.Generator().manual_seed(1))
    rule = WalkLabel(
        dict(type='RandomWalk', power=1.5, has_background=True), own_background=True)
    walked = rule.walk(seed, boundary)
    maps = torch.cat([seed.background[None], seed.scores])[None]
    if size == SIZE:
        maps = F.interpolate(maps, size=(6, 8), mode='bilinear', align_corners=False)
    expected = F.interpolate(
        random_walk(maps**1.5, boundary), scale_factor=4, mode='bilinear',
        align_corners=False)[0, :, :SIZE[0], :SIZE[1]]
    torch.testing.assert_close(walked.with_background(), expected)
    ids = torch.tensor([0, 2, 5], dtype=torch.uint8)
    assert torch.equal(rule(seed, boundary), ids[expected.argmax(0)])
    assert RandomWalk().power == 1 and not RandomWalk().has_background


def test_walks_are_checked():
    walk = dict(type='RandomWalk', has_background=True)
    with pytest.raises(ValueError, match='own_background needs a walk with it'):
        WalkLabel(dict(type='RandomWalk'), own_background=True)
    with pytest.raises(ValueError, match='no place for bg_thr or alpha'):
        WalkLabel(walk, bg_thr=0.2, own_background=True)
    boundary = torch.rand(1, 1, 6, 8)
    rule = WalkLabel(walk, own_background=True)
    for size in ((6, 8), SIZE):
        with pytest.raises(ValueError, match='this seed has no background map'):
            rule(make_seed(size, background=False), boundary)
    # Without one of its own, a walk with background takes a constant.
    assert WalkLabel(walk).bg_thr == 0.25


def evaluate(metric, samples):
    metric.dataset_meta = dict(classes=[f'c{i}' for i in range(6)])
    metric.process({}, samples)
    return metric.evaluate(len(samples))


def test_scores_of_seeds_against_their_own_background():
    rng = np.random.default_rng(0)
    seeds, masks = [], []
    for i in range(3):
        seed = make_seed((6, 8) if i == 1 else SIZE, seed=i)
        gt = torch.from_numpy(rng.choice([0, 2, 5, 255], (1, *SIZE)))
        common = dict(img_path=f'{i}.jpg', gt_sem_seg=PixelData(data=gt).to_dict())
        seeds.append(dict(common, full_seed=seed))
        masks.append(dict(common, pred_sem_seg=dict(
            data=seed.with_background().argmax(0)[None].apply_(
                lambda place: (0, 2, 5)[place]))))
    scores = evaluate(SeedMetric(own_background=True, print_classes=False), seeds)
    expected = evaluate(MaskMetric(print_classes=False), masks)
    assert 'seed/threshold' not in scores
    for name in ('mIoU', 'precision', 'recall', 'F1', 'FPR', 'FNR'):
        assert scores[f'seed/{name}'] == expected[f'mask/{name}']
    metric = SeedMetric(own_background=True)
    evaluate(metric, seeds)
    assert 'threshold none (a background map of their own)' in metric.last_protocol


@pytest.mark.parametrize('background', [True, False])
def test_scores_against_constants_warn_once_of_a_background(background, monkeypatch):
    said = []
    monkeypatch.setattr('mmwsss.evaluation.metrics.seed_metric.print_log',
                        lambda text, **kwargs: said.append(text))
    metric = SeedMetric(print_classes=False)
    evaluate(metric, [dict(
        img_path=f'{i}.jpg', full_seed=make_seed(background=background),
        gt_sem_seg=dict(data=torch.zeros(1, *SIZE, dtype=torch.uint8)))
        for i in range(2)])
    assert ['own_background=True' in text for text in said] == [True] * background


def test_scores_are_checked():
    with pytest.raises(ValueError, match='give bg_thr or own_background, not both'):
        SeedMetric(own_background=True, bg_thr=0.2)
    sample = dict(
        img_path='a.jpg', full_seed=make_seed(background=False),
        gt_sem_seg=dict(data=torch.zeros(1, *SIZE, dtype=torch.uint8)))
    with pytest.raises(ValueError, match='a.jpg: this seed has no background map'):
        evaluate(SeedMetric(own_background=True), [sample])

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import itertools

import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.registry import METRICS

from mmwsss.evaluation.metrics import BoundaryMetric
from mmwsss.evaluation.metrics.boundary_matching import (
    best_f_measure,
    boundary_of_mask,
    match_by_distance,
    match_exactly,
    thin_boundary,
)


def points(*where, size=(9, 11)):
    image = np.zeros(size, dtype=bool)
    for y, x in where:
        image[y, x] = True
    return image


def brute_force(pred, gt, tolerance):
    """The most pairs, by trying every assignment."""
    a, b = np.argwhere(pred), np.argwhere(gt)
    if len(a) > len(b):
        a, b = b, a
    if not len(a):
        return 0
    near = np.hypot(*(a[:, None] - b[None]).transpose(2, 0, 1)) <= tolerance
    return max(
        sum(near[i, j] for i, j in enumerate(choice))
        for choice in itertools.permutations(range(len(b)), len(a)))


def test_exact_matching_against_brute_force():
    rng = np.random.default_rng(0)
    less_than_all = 0
    for _ in range(60):
        pred, gt = np.zeros((2, 8, 8), dtype=bool)
        pred.flat[rng.choice(64, rng.integers(0, 6), replace=False)] = True
        gt.flat[rng.choice(64, rng.integers(0, 7), replace=False)] = True
        tolerance = rng.uniform(0.5, 4)
        expected = brute_force(pred, gt, tolerance)
        assert match_exactly(pred, gt, tolerance) == (expected, expected)
        near_pred, near_gt = match_by_distance(pred, gt, tolerance)
        assert near_pred >= expected and near_gt >= expected
        less_than_all += near_pred > expected
    assert less_than_all > 2


def test_two_pixels_do_not_share_a_partner():
    pred, gt = points((4, 4), (4, 6)), points((4, 5))
    assert match_exactly(pred, gt, 1.) == (1, 1)
    assert match_by_distance(pred, gt, 1.) == (2, 1)


def test_tolerance_is_inclusive():
    pred, gt = points((0, 0)), points((3, 4))
    assert match_exactly(pred, gt, 5.) == (1, 1)
    assert match_exactly(pred, gt, 4.99) == (0, 0)
    assert match_by_distance(pred, gt, 5.) == (1, 1)


def test_boundary_of_mask():
    mask = np.zeros((4, 6), np.uint8)
    mask[:, 3:] = 2
    expected = np.zeros((4, 6), bool)
    expected[:, 2] = True
    assert np.array_equal(boundary_of_mask(mask), expected)
    # An ignored band hides the boundary, which then lies inside of it.
    mask[:, 2:4] = 255
    assert np.array_equal(boundary_of_mask(mask), expected)
    assert not boundary_of_mask(np.full((3, 3), 255)).any()
    assert not boundary_of_mask(np.ones((3, 3))).any()


def test_thinning():
    pytest.importorskip('skimage')
    thick = np.zeros((20, 20), bool)
    thick[7:12, 2:18] = True
    line = thin_boundary(thick)
    assert (line.sum(0) <= 1).all() and 10 <= line.sum() <= 16


def test_best_f_lies_between_thresholds():
    thresholds = np.array([0.2, 0.8])
    threshold, recall, precision, best = best_f_measure(
        thresholds, np.array([1., 0.]), np.array([0., 1.]))
    assert abs(threshold - 0.5) < 0.01
    assert abs(best - 0.5) < 1e-3 and abs(recall - 0.5) < 0.01
    assert best_f_measure(
        np.array([0.5]), np.array([0.]), np.array([0.]))[3] == 0


def sample(name, pred, gt):
    return dict(
        img_id=name,
        pred_boundary=PixelData(
            data=torch.as_tensor(pred, dtype=torch.float32)[None]).to_dict(),
        gt_sem_seg=PixelData(data=torch.as_tensor(gt)[None].long()).to_dict())


def scored(samples, **kwargs):
    metric = METRICS.build(
        dict(dict(type='BoundaryMetric', thin=False, max_dist=0.07,
                  num_thresholds=9), **kwargs))
    metric.process({}, samples)
    return metric.evaluate(len(samples))


def naive_scores(samples, max_dist=0.07):
    """ODS without interpolation, from brute force counts."""
    best = 0
    for threshold in np.arange(1, 10) / 10:
        totals = np.zeros(3)
        for one in samples:
            pred = one['pred_boundary']['data'][0].numpy() >= threshold
            gt = one['gt_sem_seg']['data'][0].numpy() == 1
            matched = brute_force(pred, gt, max_dist * np.hypot(*gt.shape))
            totals += matched, pred.sum(), gt.sum()
        if totals[0]:
            precision, recall = totals[0] / totals[1:]
            best = max(best, 2 * precision * recall / (precision + recall))
    return 100 * best


def random_samples():
    rng = np.random.default_rng(1)
    samples = []
    for name in 'ab':
        pred, gt = np.zeros((8, 10)), np.zeros((8, 10), int)
        pred.flat[rng.choice(80, 6, replace=False)] = rng.uniform(0, 1, 6)
        gt.flat[rng.choice(80, 5, replace=False)] = 1
        samples.append(sample(name, pred, gt))
    return samples


def test_against_brute_force():
    samples = random_samples()
    scores = scored(samples)
    naive = naive_scores(samples)
    assert naive > 10
    # Interpolation may only add, and little.
    assert naive - 1e-6 <= scores['boundary/MF'] <= naive + 3
    assert 0 < scores['boundary/OIS'] <= 100


def test_perfect_and_blank():
    gt = np.zeros((12, 12), int)
    gt[5] = 1
    perfect = scored([sample('a', gt, gt)])
    assert perfect['boundary/MF'] == pytest.approx(100)
    blank = scored([sample('a', 0 * gt, gt)])
    assert blank['boundary/MF'] == 0 and blank['boundary/recall'] == 0


def test_the_approximation_is_labelled():
    samples = random_samples()
    exact, fast = scored(samples), scored(samples, matching='distance')
    assert 'boundary/MF' not in fast
    assert fast['boundary/MF_approx'] >= exact['boundary/MF']


def test_classes_of_masks():
    mask = np.zeros((10, 12), int)
    mask[2:8, 3:9] = 3
    edge = boundary_of_mask(mask).astype(int)
    one = scored([sample('a', edge, mask)], truth='mask')
    assert one['boundary/MF'] == pytest.approx(100)


def test_margin():
    gt = np.zeros((12, 12), int)
    gt[0] = gt[6] = 1
    pred = np.zeros((12, 12))
    pred[6] = 1
    assert scored([sample('a', pred, gt)])['boundary/recall'] < 60
    inner = scored([sample('a', pred, gt)], margin=2, max_dist=0.01)
    assert inner['boundary/MF'] == pytest.approx(100)


def test_thick_predictions_are_thinned():
    pytest.importorskip('skimage')
    gt = np.zeros((30, 30), int)
    gt[15] = 1
    pred = np.zeros((30, 30))
    pred[13:18] = 0.7
    thick = scored([sample('a', pred, gt)], max_dist=0.05)
    thin = scored([sample('a', pred, gt)], max_dist=0.05, thin=True)
    assert thin['boundary/precision'] > 95 > thick['boundary/precision']


def test_errors():
    gt = np.zeros((6, 6), int)
    metric = BoundaryMetric(num_thresholds=2, thin=False)
    for bad, message in ((sample('a', np.zeros((5, 6)), gt), r'a: .*\(5, 6\)'),
                         (sample('a', gt + 2., gt), r'a: .*\[0, 1\]'),
                         (dict(img_id='a'), 'a has no pred_boundary')):
        with pytest.raises(ValueError, match=message):
            metric.process({}, [bad])
    for bad in (dict(truth='x'), dict(matching='x'), dict(max_dist=0)):
        with pytest.raises(ValueError, match=next(iter(bad))):
            BoundaryMetric(**bad)

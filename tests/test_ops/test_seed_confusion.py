# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch

from mmwsss.ops import (
    integrate_histogram,
    mask_confusion,
    seed_confusion,
    seed_histogram,
)


def naive_confusion(scores, labels, gt, thresholds, num_classes):
    """One label map and one loop over pixels for each threshold."""
    result = np.zeros((len(thresholds), num_classes, num_classes), int)
    ids = np.concatenate([[0], np.asarray(labels, int)])
    for i, threshold in enumerate(thresholds):
        constant = np.full((1, *gt.shape), threshold, scores.dtype)
        mask = ids[np.concatenate([constant, scores]).argmax(0)]
        for truth, label in zip(gt.ravel(), mask.ravel(), strict=True):
            if truth != 255:
                result[i, truth, label] += 1
    return result


def case(dtype, num_scores=3, num_classes=6, levels=20, seed=0):
    """Scores on a coarse grid of the thresholds: ties everywhere."""
    rng = np.random.default_rng(seed)
    scores = (rng.integers(0, levels + 1, (num_scores, 9, 11)) /
              levels).astype(dtype)
    labels = rng.permutation(np.arange(1, num_classes))[:num_scores]
    gt = rng.integers(0, num_classes, (9, 11)).astype(np.uint8)
    gt[rng.random(gt.shape) < .1] = 255
    return scores, labels, gt


@pytest.mark.parametrize('dtype', [np.float32, np.float64])
@pytest.mark.parametrize('num_scores', [0, 1, 3, 5])
def test_against_naive(dtype, num_scores):
    scores, labels, gt = case(dtype, num_scores)
    thresholds = [step / 20 for step in range(21)]
    confusion = seed_confusion(
        torch.from_numpy(scores), torch.from_numpy(labels),
        torch.from_numpy(gt), thresholds, 6)
    assert confusion.dtype == torch.int64
    np.testing.assert_array_equal(
        confusion.numpy(), naive_confusion(scores, labels, gt, thresholds, 6))
    assert (confusion.sum((1, 2)) == (gt != 255).sum()).all()


def test_thresholds_in_any_order():
    scores, labels, gt = (torch.as_tensor(one) for one in case(np.float32))
    thresholds = [.5, 0., .35, .5, 1.2, -.1]
    confusion = seed_confusion(scores, labels, gt, thresholds, 6)
    for threshold, one in zip(thresholds, confusion, strict=True):
        alone = seed_confusion(scores, labels, gt, [threshold], 6)[0]
        assert torch.equal(one, alone)
    assert torch.equal(confusion[0], confusion[3])


def test_histograms_add_up():
    thresholds = [step / 20 for step in range(21)]
    histogram = expected = 0
    for seed in range(8):
        scores, labels, gt = case(np.float32, num_scores=seed % 5, seed=seed)
        histogram += seed_histogram(
            torch.from_numpy(scores), torch.from_numpy(labels),
            torch.from_numpy(gt), thresholds, 6)
        expected += naive_confusion(scores, labels, gt, thresholds, 6)
    assert histogram.shape == (6, 6, 22) and histogram.dtype == torch.int64
    np.testing.assert_array_equal(
        integrate_histogram(histogram).numpy(), expected)


def test_half_precision_and_integer_masks():
    scores, labels, gt = (torch.as_tensor(one) for one in case(np.float32))
    scores = scores.half()
    expected = seed_confusion(scores.float(), labels, gt, [.3], 6)
    assert torch.equal(
        seed_confusion(scores, labels.tolist(), gt.long(), [.3], 6), expected)


def test_all_ignored():
    scores, labels, gt = (torch.as_tensor(one) for one in case(np.float32))
    gt[:] = 255
    assert not seed_confusion(scores, labels, gt, [.1, .2], 6).any()


@pytest.mark.parametrize('change, message', [
    (dict(scores=torch.rand(2, 4, 4)), 'scores'),
    (dict(scores=torch.rand(4, 5)), 'scores'),
    (dict(scores=torch.rand(2, 4, 5) + 1), r'\[0, 1\]'),
    (dict(scores=torch.full((2, 4, 5), torch.nan)), 'nan'),
    (dict(labels=[1]), '2 integers'),
    (dict(labels=[0, 1]), '1..2'),
    (dict(labels=[1, 3]), '1..2'),
    (dict(labels=[1, 1]), 'different'),
    (dict(gt=torch.full((4, 5), 3)), 'gt'),
    (dict(gt=torch.full((4, 5), -1)), 'gt'),
    (dict(gt=torch.rand(4, 5)), 'gt'),
    (dict(gt=torch.zeros(1, 4, 5).long()), 'gt'),
    (dict(thresholds=[torch.nan]), 'thresholds'),
    (dict(thresholds=torch.tensor(.5)), 'thresholds'),
    (dict(num_classes=256), 'num_classes'),
])
def test_bad_input(change, message):
    arguments = dict(
        scores=torch.rand(2, 4, 5), labels=[1, 2],
        gt=torch.zeros(4, 5).long(), thresholds=[.1], num_classes=3)
    with pytest.raises(ValueError, match=message):
        seed_confusion(**{**arguments, **change})


@pytest.mark.parametrize('pred_ignore', ['background', 'ignore'])
def test_mask_confusion(pred_ignore):
    rng = np.random.default_rng(1)
    values = np.array([0, 1, 2, 3, 255], np.uint8)
    pred, gt = rng.choice(values, (2, 8, 9))
    expected = np.zeros((4, 4), int)
    for label, truth in zip(pred.ravel(), gt.ravel(), strict=True):
        if truth == 255 or (label == 255 and pred_ignore == 'ignore'):
            continue
        expected[truth, 0 if label == 255 else label] += 1
    confusion = mask_confusion(
        torch.from_numpy(pred), torch.from_numpy(gt), 4, pred_ignore)
    np.testing.assert_array_equal(confusion.numpy(), expected)


def test_mask_confusion_bad_input():
    zeros = torch.zeros(4, 5).long()
    with pytest.raises(ValueError, match='0..2'):
        mask_confusion(zeros + 3, zeros, 3)
    with pytest.raises(ValueError, match='shape'):
        mask_confusion(zeros[1:], zeros, 3)
    with pytest.raises(ValueError, match='pred_ignore'):
        mask_confusion(zeros, zeros, 3, 'drop')

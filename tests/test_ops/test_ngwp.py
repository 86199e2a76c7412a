# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Pooling of logits into scores, and masks into pseudo labels."""

import math

import pytest
import torch

from mmwsss.ops import ngwp_scores, pseudo_labels_from_masks


def naive_scores(logits, bg_logit, eps, focal_p, focal_lambda):
    """Pixel by pixel."""
    num, classes, height, width = logits.shape
    rows = []
    for n in range(num):
        weight = [0.] * classes
        weighted = [0.] * classes
        for y in range(height):
            for x in range(width):
                pixel = [logits[n, c, y, x] for c in range(classes)]
                powers = [p.exp() for p in pixel]
                total = math.exp(bg_logit) + sum(powers)
                for c in range(classes):
                    mask = powers[c] / total
                    weight[c] = weight[c] + mask
                    weighted[c] = weighted[c] + mask * pixel[c]
        row = []
        for c in range(classes):
            mean = weight[c] / (height * width)
            score = weighted[c] / (eps + weight[c])
            if focal_lambda is not None:
                score = score + (1 - mean)**focal_p * torch.log(
                    focal_lambda + mean)
            row.append(score)
        rows.append(torch.stack(row))
    return torch.stack(rows)


@pytest.mark.parametrize('options', [
    dict(bg_logit=1., eps=1., focal_p=3., focal_lambda=0.01),
    dict(bg_logit=0., eps=1e-5, focal_p=0., focal_lambda=0.1),
    dict(bg_logit=1., eps=1., focal_p=3., focal_lambda=None),
])
def test_scores_and_gradient_against_naive(options):
    torch.manual_seed(0)
    logits = (2 * torch.randn(2, 3, 3, 4, dtype=torch.double)).requires_grad_()
    actual = ngwp_scores(logits, **options)
    expected = naive_scores(logits, **options)
    torch.testing.assert_close(actual, expected)
    weights = torch.randn(2, 3, dtype=torch.double)
    gradients = [
        torch.autograd.grad((scores * weights).sum(), logits)[0]
        for scores in (actual, expected)
    ]
    torch.testing.assert_close(*gradients)


def test_the_size_of_an_object_hardly_matters():
    logits = torch.full((2, 1, 40, 40), -6.)
    logits[0, :, :10, :10] = 6
    logits[1, :, :20, :20] = 6
    scores = ngwp_scores(logits, focal_lambda=None)
    assert (scores[0] - scores[1]).abs() < 0.2
    penalised = ngwp_scores(logits)
    assert penalised[0] < penalised[1]


def test_wrong_arguments_of_scores():
    logits = torch.zeros(1, 2, 3, 3)
    for wrong in (dict(logits=logits[0]), dict(eps=-1), dict(focal_p=-1),
                  dict(focal_lambda=0)):
        with pytest.raises(ValueError, match='must'):
            ngwp_scores(**{**dict(logits=logits), **wrong})
    assert ngwp_scores(logits.half()).dtype == torch.float


def naive_labels(masks, present, fg_ratio, bg_ratio, floor):
    num, classes, height, width = masks.shape
    labels = torch.full((num, height, width), 255)
    for n in range(num):
        kept = [0] + [c for c in range(1, classes) if present[n, c - 1]]
        for y in range(height):
            for x in range(width):
                found = []
                for c in kept:
                    ratio = fg_ratio if c else bg_ratio
                    threshold = max(ratio * masks[n, c].max(), floor)
                    if masks[n, c, y, x] > threshold:
                        found.append(c)
                if len(found) == 1:
                    labels[n, y, x] = found[0]
    return labels


def test_labels_against_naive():
    torch.manual_seed(0)
    masks = (3 * torch.randn(3, 4, 8, 9)).softmax(1)
    present = torch.tensor([[1, 0, 1], [0, 1, 0], [0, 0, 0]])
    labels = pseudo_labels_from_masks(masks, present)
    assert torch.equal(labels, naive_labels(masks, present, 0.6, 0.7, 0.2))
    assert set(labels[0].unique().tolist()) == {0, 1, 3, 255}
    with_background = torch.cat([torch.ones(3, 1), present], 1)
    assert torch.equal(labels, pseudo_labels_from_masks(masks, with_background))
    labels = pseudo_labels_from_masks(masks, present, 0.3, 0.4, 0.)
    assert torch.equal(labels, naive_labels(masks, present, 0.3, 0.4, 0.))


def test_weak_masks_are_undecided():
    masks = torch.full((1, 3, 4, 4), 0.2)
    assert (pseudo_labels_from_masks(masks, torch.ones(1, 2)) == 255).all()


def test_wrong_arguments_of_labels():
    masks, labels = torch.rand(2, 3, 4, 4), torch.ones(2, 2)
    for wrong in (dict(masks=masks[0]), dict(tags=labels[:1]),
                  dict(tags=torch.zeros(2, 3)),
                  dict(masks=masks[:, :1]), dict(floor=2), dict(fg_ratio=-1)):
        with pytest.raises(ValueError, match='must'):
            pseudo_labels_from_masks(
                **{**dict(masks=masks, tags=labels), **wrong})

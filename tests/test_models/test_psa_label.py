# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import pytest
import torch
from mmseg.registry import MODELS
from torch import nn

from mmwsss.models.refiners import PSALabel
from mmwsss.structures import Seed

SIZE = (6, 9)


def make_seed(labels=(3, 1)):
    torch.manual_seed(0)
    return Seed(torch.rand(len(labels), *SIZE), labels, SIZE)


class Blur(nn.Module):
    """A refiner whose outcome a test can repeat."""

    has_background = True

    def forward(self, scores, guide):
        return nn.functional.avg_pool2d(scores, 3, stride=1, padding=1)


def naive_label(seed, low, high, refine):
    """Pixel by pixel, with the maps of both powers."""
    strongest = []
    for alpha in (low, high):
        background = (1 - seed.scores.max(0)[0])**alpha
        scores = torch.cat([background[None], seed.scores])
        strongest.append(refine(scores[None])[0].argmax(0))
    ids = [0, *seed.labels.tolist()]
    label = torch.empty(SIZE, dtype=torch.uint8)
    for y in range(SIZE[0]):
        for x in range(SIZE[1]):
            la, ha = (ids[one[y, x]] for one in strongest)
            label[y, x] = 0 if ha == 0 else (la or 255)
    return label


@pytest.mark.parametrize('refiner', [None, Blur()])
@pytest.mark.parametrize('low, high', [(4, 32), (1, 3)])
def test_label_against_naive(refiner, low, high):
    seed, image = make_seed(), torch.zeros(3, *SIZE, dtype=torch.uint8)
    # Here and there all classes are weak.
    seed.scores[:, :3] *= 0.3
    label = PSALabel(low, high, refiner)(seed, image)

    def refine(x):
        return x if refiner is None else refiner(x, None)

    assert torch.equal(label, naive_label(seed, low, high, refine))
    assert {255, 3, 1} <= set(label.unique().tolist())


def test_published_crf():
    rule = MODELS.build(dict(type='PSALabel'))
    assert rule.refiner.arguments['bilateral'] == (80, 13, 10)
    assert rule.refiner.arguments['unary'] == 'softmax'
    assert (rule.low_alpha, rule.high_alpha) == (4, 32)


def test_image_without_tags_is_undecided():
    seed = Seed(torch.zeros(0, *SIZE), [], SIZE)
    label = PSALabel(refiner=None)(seed, torch.zeros(3, *SIZE))
    assert (label == 255).all()


def test_powers_in_order():
    with pytest.raises(ValueError, match='must not exceed'):
        PSALabel(8, 4)

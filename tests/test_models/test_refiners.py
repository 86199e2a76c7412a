# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch
from mmseg.registry import MODELS
from PIL import Image
from torch import nn

from mmwsss.datasets.image_io import read_image, read_mask, voc_palette
from mmwsss.evaluation.writers.pseudo_label_writer import pseudo_label_setup
from mmwsss.models.refiners import (
    CRF_PRESETS,
    BackgroundCRF,
    BaseRefiner,
    DenseCRF,
    IRNLabel,
    PSALabel,
    ThresholdLabel,
)
from mmwsss.ops import dense_crf, dense_crf_backends
from mmwsss.structures import Seed

SIZE = (13, 18)


@pytest.fixture(autouse=True)
def without_numba(monkeypatch):
    """Spare its start: tests/test_ops/test_dense_crf.py compares the backends."""
    monkeypatch.setattr(dense_crf_backends, '_cpu_backend', lambda: 'torch')


def make_seed(labels=(3, 1), full=True):
    torch.manual_seed(0)
    size = SIZE if full else (4, 5)
    return Seed(torch.rand(len(labels), *size), labels, SIZE)


def make_image():
    torch.manual_seed(1)
    return torch.randint(0, 256, (3, *SIZE), dtype=torch.uint8)


class Halve(BaseRefiner):
    """Keeps what it saw."""

    def __init__(self, has_background):
        super().__init__()
        self.has_background = has_background
        self.seen = []

    def forward(self, scores, guide):
        self.seen.append((scores, guide))
        return scores / 2


@pytest.mark.parametrize('preset', CRF_PRESETS)
def test_presets(preset):
    scores = make_seed().with_background(.3)[None]
    image = make_image()[None]
    refined = MODELS.build(dict(type='DenseCRF', preset=preset))(scores, image)
    expected = dense_crf(scores, image, **CRF_PRESETS[preset])
    assert torch.equal(refined, expected)


def test_presets_are_the_published_ones():
    """Unary, Gaussian, bilateral, iterations."""
    table = {
        name: (*preset['gaussian'], *preset['bilateral'], preset['num_iter'])
        for name, preset in CRF_PRESETS.items()
    }
    assert table == dict(
        irn_label=(3, 3, 50, 5, 10, 10),
        psa=(3, 3, 80, 13, 10, 10),
        eps_ppc=(3, 3, 80, 13, 10, 5),
        seam_test=(3, 3, 32, 13, 10, 1),
        deeplab=(1, 3, 67, 3, 4, 10),
        mctformer=(4, 3, 83, 5, 3, 10),
        afa=(3, 3, 64, 5, 4, 10))
    hard = [name for name, preset in CRF_PRESETS.items()
            if preset['unary'] == 'labels']
    assert hard == ['irn_label']


def test_dense_crf_options():
    crf = DenseCRF('psa', scale_factor=2, num_iter=3)
    # Weights and the colour deviation are no lengths.
    assert crf.arguments['gaussian'] == (1.5, 3)
    assert crf.arguments['bilateral'] == (40, 13, 10)
    assert crf.arguments['num_iter'] == 3
    refined = DenseCRF('psa')(torch.rand(1, 3, 4, 5), make_image()[None])
    assert refined.shape == (1, 3, *SIZE)


def test_threshold_label_without_refiner():
    for seed in (make_seed(), make_seed(full=False)):
        label = ThresholdLabel(bg_thr=.4)(seed, make_image())
        assert label.dtype == torch.uint8
        assert torch.equal(label, seed.to_mask(.4))


def test_threshold_label_is_the_crf_of_the_thresholded_seed():
    seed, image = make_seed(), make_image()
    rule = ThresholdLabel(
        dict(type='DenseCRF', preset='irn_label'), bg_thr=.6)
    mask = seed.to_mask(.6)
    hard = torch.stack([mask == label for label in (0, 3, 1)]).float()
    best = dense_crf(hard[None], image[None], **CRF_PRESETS['irn_label'])
    assert torch.equal(
        rule(seed, image), torch.tensor([0, 3, 1])[best[0].argmax(0)].byte())


def test_refiner_with_background():
    seed, image = make_seed(), make_image()
    refiner = Halve(True)
    ThresholdLabel(refiner, alpha=4)(seed, image)
    scores, guide = refiner.seen[0]
    assert torch.equal(scores[0], seed.with_background(alpha=4))
    assert torch.equal(guide[0], image)


def test_refiner_without_background():
    seed, image = make_seed(), make_image()
    refiner = Halve(False)
    label = ThresholdLabel(refiner, bg_thr=.2)(seed, image)
    assert torch.equal(refiner.seen[0][0][0], seed.scores)
    # Background enters after the refiner.
    assert torch.equal(label, seed.to_mask(.4))


def test_irn_label():
    seed, image = make_seed(), make_image()
    label = IRNLabel(.6, .2, refiner=None)(seed, image)
    high, low = seed.to_mask(.6), seed.to_mask(.2)
    for pixel, fg, bg in zip(
            label.ravel(), high.ravel(), low.ravel(), strict=True):
        assert pixel == (fg if fg else 255 if bg else 0)
    assert {0, 1, 3, 255} == set(label.unique().tolist())


def test_irn_label_with_crf():
    seed, image = make_seed(), make_image()
    label = IRNLabel(.6, .2)(seed, image)
    crf = [
        ThresholdLabel(DenseCRF('irn_label'), bg_thr=t)(seed, image)
        for t in (.6, .2)
    ]
    assert torch.equal(label[crf[0] > 0], crf[0][crf[0] > 0])
    assert ((label == 0) == ((crf[0] == 0) & (crf[1] == 0))).all()


@pytest.mark.parametrize('rule, expected', [
    (ThresholdLabel(bg_thr=.1), 0),
    (ThresholdLabel(bg_thr=.1, empty_label=255), 255),
    (IRNLabel(), 255),
    (IRNLabel(empty_label=0), 0),
    (PSALabel(refiner=None), 255),
])
def test_image_without_tags(rule, expected):
    label = rule(make_seed(labels=()), make_image())
    assert label.shape == SIZE and (label == expected).all()


def test_image_of_another_size():
    with pytest.raises(ValueError, match='shape'):
        ThresholdLabel(bg_thr=.1)(make_seed(), make_image()[:, :5])


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
    seed, image = make_seed(), make_image()
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


class TestSaliencyLabel:
    seed = Seed(
        torch.tensor([[[0.9, 0.9, 0.1, 0.1]]]), torch.tensor([3]), (1, 4))
    image = torch.zeros(3, 1, 4)
    saliency = torch.tensor([[200, 10, 200, 10]], dtype=torch.uint8)

    @pytest.mark.parametrize('options, expected', [
        (dict(), [3, 255, 255, 0]),
        (dict(claimed=0), [3, 0, 255, 0]),
        (dict(claimed=None, unclaimed=0), [3, 3, 0, 0]),
        (dict(saliency_thr=0.9), [255, 255, 0, 0]),
    ])
    def test_contradictions(self, options, expected):
        rule = MODELS.build(
            dict(type='SaliencyLabel', bg_thr=0.5, **options))
        label = rule(self.seed, self.image, self.saliency)
        assert label.dtype == torch.uint8
        assert label.tolist() == [expected]

    def test_without_tags(self):
        rule = MODELS.build(dict(type='SaliencyLabel', bg_thr=0.5))
        seed = Seed(torch.zeros(0, 1, 4), [], (1, 4))
        assert rule(seed, self.image, self.saliency).tolist() == [[0, 0, 0, 0]]

    def test_errors(self):
        rule = MODELS.build(dict(type='SaliencyLabel', bg_thr=0.5))
        with pytest.raises(ValueError, match=r'\(1, 4\).*\(2, 4\)'):
            rule(self.seed, self.image, torch.zeros(2, 4))
        with pytest.raises(ValueError, match='needs a saliency map'):
            rule(self.seed, self.image)

    def test_from_files(self, voc_root, tmp_path):
        image = sorted((voc_root / 'JPEGImages').iterdir())[0]
        height, width = read_image(str(image)).shape[:2]
        half = np.zeros((height, width), np.uint8)
        half[:, width // 2:] = 255
        Image.fromarray(half).save(tmp_path / 'saliency.png')
        seed = Seed(torch.ones(1, height, width), [2], (height, width))
        out = str(tmp_path / 'label.png')
        work = pseudo_label_setup(
            dict(type='SaliencyLabel', bg_thr=0.5), voc_palette(7))
        work((seed, str(image), out, str(tmp_path / 'saliency.png')))
        assert (read_mask(out) == np.where(half > 0, 2, 255)).all()
        with pytest.raises(ValueError, match=f'{image.name}.*saliency_path'):
            work((seed, str(image), out, None))
        with pytest.raises(ValueError, match=f'{image.name}: .* label 7, of 7 classes'):
            work((Seed(torch.ones(1, height, width), [7], (height, width)), str(image),
                  out))


def test_background_crf_without_a_batch():
    crf = BackgroundCRF(dict(type='DenseCRF'))
    with pytest.raises(RuntimeError, match='call start first'):
        crf.finish(torch.zeros(1, 4, 4))

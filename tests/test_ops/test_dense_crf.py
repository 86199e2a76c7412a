# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import sys

import numpy as np
import pytest
import torch

from mmwsss.ops import affinity_label, dense_crf


def naive_mean_field(probs, image, num_iter, gaussian, bilateral, unary,
                     gt_prob):
    """Dense CRF by the full matrix of pairs, kernels normalised on both sides.

    pydensecrf approximates the kernels on a lattice, so that results agree
    only roughly; labels of a clear case agree.
    """
    num_labels, height, width = probs.shape
    if unary == 'softmax':
        energy = -np.log(np.clip(probs, 1e-5, 1)).reshape(num_labels, -1)
    else:
        energy = np.full((num_labels, height * width),
                         -np.log((1 - gt_prob) / (num_labels - 1)))
        best = probs.argmax(0).ravel()
        energy[best, np.arange(height * width)] = -np.log(gt_prob)
    rows, columns = np.mgrid[:height, :width]
    place = np.stack([rows.ravel(), columns.ravel()], 1).astype(float)
    colour = image.transpose(1, 2, 0).reshape(-1, 3).astype(float)
    features = (place / gaussian[0],
                np.concatenate([place / bilateral[0], colour / bilateral[1]],
                               1))
    kernel = 0
    for feature, weight in zip(
            features, (gaussian[1], bilateral[2]), strict=True):
        distance = ((feature[:, None] - feature[None])**2).sum(-1)
        pairs = np.exp(-distance / 2)
        norm = 1 / np.sqrt(pairs.sum(1) + 1e-20)
        kernel = kernel + weight * norm[:, None] * pairs * norm[None]
    belief = np.exp(-energy)
    belief /= belief.sum(0)
    for _ in range(num_iter):
        belief = np.exp(-energy + belief @ kernel)
        belief /= belief.sum(0)
    return belief.reshape(probs.shape)


def make_case(num_labels=2, size=(12, 14), seed=0):
    """A photo of stripes, and noisy scores of them."""
    rng = np.random.default_rng(seed)
    truth = np.zeros(size, int)
    for label in range(num_labels):
        truth[:, label * size[1] // num_labels:] = label
    colours = rng.integers(0, 256, (num_labels, 3))
    image = colours[truth].transpose(2, 0, 1) + rng.integers(
        -4, 5, (3, *size))
    image = image.clip(0, 255).astype(np.uint8)
    probs = np.eye(num_labels)[truth].transpose(2, 0, 1) * .3
    probs = probs + rng.random(probs.shape) * .5 + .05
    probs = (probs / probs.sum(0)).astype(np.float32)
    return probs, image, truth


@pytest.mark.parametrize('num_labels', [2, 3])
@pytest.mark.parametrize('unary', ['softmax', 'labels'])
def test_against_naive(unary, num_labels):
    pytest.importorskip('pydensecrf')
    probs, image, truth = make_case(num_labels)
    settings = dict(
        num_iter=5, gaussian=(3, 3), bilateral=(30, 13, 10), unary=unary,
        gt_prob=.7)
    refined = dense_crf(
        torch.from_numpy(probs)[None],
        torch.from_numpy(image)[None], **settings)[0].numpy()
    expected = naive_mean_field(probs, image, **settings)
    assert (probs.argmax(0) != truth).any()
    np.testing.assert_array_equal(refined.argmax(0), expected.argmax(0))
    np.testing.assert_array_equal(refined.argmax(0), truth)
    np.testing.assert_allclose(refined.sum(0), 1, atol=1e-5)
    # The lattice's error; a wrong kernel or unary moves much more.
    assert np.abs(refined - expected).mean() < .05


def test_unary_alone():
    """Without kernels the result is the unary itself."""
    pytest.importorskip('pydensecrf')
    probs, image, _ = make_case(3)
    probs, image = torch.from_numpy(probs)[None], torch.from_numpy(image)[None]
    off = dict(gaussian=(3, 0), bilateral=(50, 5, 0))
    torch.testing.assert_close(
        dense_crf(probs, image, **off), probs, atol=1e-4, rtol=0)
    labels = dense_crf(probs, image, unary='labels', gt_prob=.7, **off)
    assert torch.equal(labels.argmax(1), probs.argmax(1))
    torch.testing.assert_close(
        labels.sort(1).values[0, :, 0, 0], torch.tensor([.15, .15, .7]))


def test_batch_types_and_contiguity():
    pytest.importorskip('pydensecrf')
    cases = [make_case(seed=seed) for seed in range(2)]
    probs = torch.from_numpy(np.stack([case[0] for case in cases]))
    image = torch.from_numpy(np.stack([case[1] for case in cases]))
    both = dense_crf(probs, image)
    for i in range(2):
        one = dense_crf(probs[i:i + 1].double(), image[i:i + 1].float())
        assert one.dtype == torch.float64
        torch.testing.assert_close(one[0].float(), both[i])
    turned = dense_crf(probs.mT.contiguous().mT, image.flip(1).flip(1))
    torch.testing.assert_close(turned, both)
    assert not dense_crf(probs.requires_grad_(), image).requires_grad


def test_one_label():
    probs = torch.rand(2, 1, 4, 5)
    assert (dense_crf(probs, torch.zeros(2, 3, 4, 5)) == 1).all()


@pytest.mark.parametrize('change, message', [
    (dict(probs=torch.rand(2, 4, 5)), 'probs'),
    (dict(probs=torch.rand(1, 0, 4, 5)), 'K >= 1'),
    (dict(probs=torch.rand(1, 2, 4, 5) + 1), r'\[0, 1\]'),
    (dict(probs=torch.full((1, 2, 4, 5), torch.nan)), 'nan'),
    (dict(image=torch.zeros(1, 3, 5, 5)), 'image'),
    (dict(image=torch.full((1, 3, 4, 5), 300)), r'\[0, 255\]'),
    (dict(unary='hard'), 'unary'),
    (dict(gt_prob=1.), 'gt_prob'),
    (dict(num_iter=0), 'num_iter'),
    (dict(gaussian=(0, 3)), 'gaussian'),
    (dict(bilateral=(80, 13)), 'bilateral'),
    (dict(backend='cuda'), 'backend'),
])
def test_bad_input(change, message):
    arguments = dict(
        probs=torch.rand(1, 2, 4, 5), image=torch.zeros(1, 3, 4, 5))
    with pytest.raises(ValueError, match=message):
        dense_crf(**{**arguments, **change})


def test_without_pydensecrf(monkeypatch):
    monkeypatch.setitem(sys.modules, 'pydensecrf', None)
    monkeypatch.setitem(sys.modules, 'pydensecrf.densecrf', None)
    with pytest.raises(ImportError, match='pip install pydensecrf'):
        dense_crf(torch.rand(1, 2, 4, 5), torch.zeros(1, 3, 4, 5))


def test_affinity_label():
    foreground = torch.tensor([3, 0, 0, 0, 5, 255], dtype=torch.uint8)
    background = torch.tensor([3, 0, 3, 5, 0, 0], dtype=torch.uint8)
    label = affinity_label(foreground, background)
    assert label.dtype == torch.uint8
    assert label.tolist() == [3, 0, 255, 255, 5, 255]
    with pytest.raises(ValueError, match='shape'):
        affinity_label(foreground, background[1:])

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import cv2
import numpy as np
import pytest
import torch

from mmwsss.ops import class_aware_affinity
from mmwsss.ops.class_aware_affinity import box_masks


def naive_boxes(cam, threshold):
    """By OpenCV's contours, box by box."""
    level = np.floor(cam.numpy() * 255).astype(np.uint8)
    seen = (level > int(threshold * int(level.max()))).astype(np.uint8)
    contours, _ = cv2.findContours(seen, cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)
    mask = np.zeros(cam.shape, bool)
    for contour in contours:
        x, y, width, height = cv2.boundingRect(contour)
        for row in range(y, min(y + height, cam.shape[0] - 1)):
            for column in range(x, min(x + width, cam.shape[1] - 1)):
                mask[row, column] = True
    return mask


def naive_affinity(attention, cam, mask, iters):
    """The whole matrix, normalised entry by entry."""
    a = attention.numpy().copy()
    n = len(a)
    for _ in range(iters):
        a = np.array([[a[i, j] / a[:, j].sum() for j in range(n)] for i in range(n)])
        a = np.array([[a[i, j] / a[i].sum() for j in range(n)] for i in range(n)])
    a = (a + a.T) / 2
    a = (a @ a) * mask.reshape(1, -1)
    return (a @ cam.numpy().reshape(-1, 1)).reshape(cam.shape)


def make_inputs(height=5, width=7, classes=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    patches = height * width
    attention = torch.randn(patches, patches, generator=generator).double().softmax(1)
    cams = torch.rand(classes, height, width, generator=generator).double()
    return attention, (cams**2 - 0.1).clamp(0, 1)


@pytest.mark.parametrize('threshold', [0.4, 0.7])
@pytest.mark.parametrize('iters', [0, 1, 3])
def test_against_naive(threshold, iters):
    attention, cams = make_inputs()
    refined = class_aware_affinity(attention, cams, threshold, iters)
    for cam, one in zip(cams, refined, strict=True):
        expected = naive_affinity(
            attention, cam, naive_boxes(cam, threshold), iters)
        np.testing.assert_allclose(one, expected, rtol=1e-10, atol=1e-14)


def test_boxes_against_contours():
    """Trap 10: connected parts have the boxes of contours, holes or not."""
    rng = np.random.default_rng(0)
    for i in range(300):
        height, width = rng.integers(1, 15, 2)
        cam = torch.from_numpy(rng.random((height, width))**rng.integers(1, 6))
        if i % 5 == 0:
            cam = torch.zeros(height, width)
        threshold = (0., 0.4, 0.7, 0.95)[i % 4]
        mask = box_masks(cam[None], threshold)[0].numpy()
        assert np.array_equal(mask, naive_boxes(cam, threshold)), i


def test_bytes_decide():
    """Trap 11: maps and threshold are cut to bytes, and equal is not above."""
    cam = torch.zeros(1, 3, 6)
    cam[0, 1, 1] = 1
    # int(0.4 * 255) = 102, and floor(255 * x) must exceed it.
    for value, inside in ((102.999 / 255, False), (103.001 / 255, True)):
        cam[0, 1, 3] = value
        assert box_masks(cam, 0.4)[0, 1].tolist() == [
            False, True, False, inside, False, False]


def test_last_row_and_column():
    """They are in no box, as published; full boxes hold them."""
    cam = torch.zeros(2, 4, 4)
    cam[0, 2:, 2:] = 1
    cam[1, 3, 1] = 1
    assert box_masks(cam).nonzero().tolist() == [[0, 2, 2]]
    assert torch.equal(box_masks(cam, full_boxes=True), cam > 0)
    attention = torch.full((16, 16), 1 / 16)
    assert not class_aware_affinity(attention, cam)[1].any()
    assert class_aware_affinity(attention, cam, full_boxes=True)[1].all()


def test_nothing_stays_nothing():
    """Trap 4: an empty map has no box, and is no error."""
    attention, cams = make_inputs()
    cams[1] = 0
    refined = class_aware_affinity(attention, cams)
    assert not refined[1].any() and refined[[0, 2]].amax((1, 2)).min() > 0
    assert class_aware_affinity(attention, cams[:0]).shape == (0, 5, 7)


def test_the_scale_of_attention_does_not_matter():
    attention, cams = make_inputs()
    torch.testing.assert_close(
        class_aware_affinity(attention * 7, cams),
        class_aware_affinity(attention, cams))


def test_types():
    attention, cams = make_inputs()
    expected = class_aware_affinity(attention, cams.half().double()).float()
    for dtype in (torch.float32, torch.bfloat16, torch.float16):
        refined = class_aware_affinity(attention.to(dtype), cams.half())
        assert refined.dtype == torch.float32
        torch.testing.assert_close(refined, expected, rtol=0.05, atol=0.05)


def test_errors():
    attention, cams = make_inputs()
    for wrong, words in (
            (dict(cams=cams[0]), r'cams must be of shape \(K, h, w\), got \(5, 7\)'),
            (dict(attention=attention[1:]), r'5 x 7 patches must be .*\(35, 35\)'),
            (dict(cams=cams * 2), r'cams must lie in \[0, 1\]'),
            (dict(cams=cams * torch.nan), r'cams must lie in \[0, 1\], got \[nan'),
            (dict(threshold=1.1), r'threshold must lie in \[0, 1\], got 1.1'),
            (dict(iters=-1), 'iters must not be negative, got -1')):
        with pytest.raises(ValueError, match=words):
            class_aware_affinity(**{**dict(attention=attention, cams=cams), **wrong})

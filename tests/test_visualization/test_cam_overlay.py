# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from mmwsss.structures import Seed
from mmwsss.visualization import draw_mask, draw_seed, draw_tags, overlay_cam

PALETTE = [(0, 0, 0), (200, 0, 0), (0, 100, 0)]


@pytest.fixture
def image():
    return np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)


def test_overlay_cam_blends_and_resizes(image):
    before = image.copy()
    score = np.zeros((10, 15), np.float32)
    score[:, 10:] = 1
    out = overlay_cam(image, score, alpha=0.5)
    assert out.shape == image.shape and out.dtype == np.uint8
    np.testing.assert_array_equal(image, before)
    heat = overlay_cam(image, score, alpha=1.0).astype(int)
    assert (heat[:, :30, 2] > heat[:, :30, 0]).all(), 'low scores are blue'
    assert (heat[:, 50:, 0] > heat[:, 50:, 2]).all(), 'high scores are red'
    np.testing.assert_allclose(
        out, 0.5 * image + 0.5 * heat, atol=0.51)
    np.testing.assert_array_equal(overlay_cam(image, score, alpha=0), image)


@pytest.mark.parametrize('score, match', [
    (np.full((4, 4), 1.5), r'\[0, 1\]'),
    (np.full((4, 4), np.nan), r'\[0, 1\]'),
    (np.zeros((1, 4, 4)), r'\(h, w\)'),
])
def test_overlay_cam_rejects_bad_scores(image, score, match):
    with pytest.raises(ValueError, match=match):
        overlay_cam(image, score)


def test_overlay_cam_rejects_bad_image(image):
    with pytest.raises(ValueError, match='RGB uint8'):
        overlay_cam(image.astype(np.float32), np.zeros((4, 4)))


def test_draw_mask_tints_each_class(image):
    mask = np.zeros((40, 60), np.uint8)
    mask[:10], mask[10:20], mask[20:30] = 1, 2, 255
    out = draw_mask(image, mask, PALETTE, alpha=0.25)
    for row in range(40):
        for color, rows in (((200, 0, 0), range(10)), ((0, 100, 0), range(10, 20)),
                            ((224, 224, 192), range(20, 30))):
            if row in rows:
                want = 0.75 * image[row] + 0.25 * np.array(color)
                np.testing.assert_allclose(out[row], want, atol=0.51)
    np.testing.assert_array_equal(out[30:], image[30:])


def test_draw_mask_rejects_unknown_ids_and_sizes(image):
    mask = np.zeros((40, 60), np.uint8)
    mask[0, 0] = 7
    with pytest.raises(ValueError, match=r'\[7\].*3 classes'):
        draw_mask(image, mask, PALETTE)
    with pytest.raises(ValueError, match='size of the image'):
        draw_mask(image, mask[1:], PALETTE)


def test_draw_seed_takes_the_highest_class(image):
    scores = np.zeros((2, 10, 15), np.float16)
    scores[0, :, :7], scores[1, :, 7:] = 1, 0.5
    seed = Seed(scores, labels=[2, 1], size=(40, 60))
    out = draw_seed(image, seed, PALETTE, alpha=1.0)
    assert (out[:, :25] == (0, 100, 0)).all()
    np.testing.assert_allclose(
        out[:, -25:], 0.5 * image[:, -25:] + (100, 0, 0), atol=0.51)
    legend = draw_seed(image, seed, PALETTE, ['background', 'cat', 'dog'])
    assert (legend[:12, :12] != draw_seed(image, seed, PALETTE)[:12, :12]).any()


def test_draw_seed_without_classes_is_the_image(image):
    seed = Seed(np.zeros((0, 10, 15)), labels=[], size=(40, 60))
    np.testing.assert_array_equal(draw_seed(image, seed, PALETTE), image)


def test_draw_tags_leaves_the_rest_alone(image):
    out = draw_tags(image, ['cat', 'né'], PALETTE[1:])
    assert (out[:20] != image[:20]).any()
    np.testing.assert_array_equal(out[30:], image[30:])
    np.testing.assert_array_equal(draw_tags(image, []), image)

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch
from PIL import Image

from mmwsss.visualization import (
    draw_offset_arrows,
    draw_offset_magnitude,
    offset_magnitude,
    plot_offset_curves,
)


@pytest.fixture
def image():
    return np.full((64, 96, 3), 100, np.uint8)


def test_magnitude_is_the_mean_length_over_kernel_points():
    offset = torch.randn(18, 4, 5)
    want = np.zeros((4, 5))
    for point in range(9):
        dy, dx = offset[2 * point].numpy(), offset[2 * point + 1].numpy()
        want += np.sqrt(dy**2 + dx**2) / 9
    np.testing.assert_allclose(offset_magnitude(offset), want, rtol=1e-5)


@pytest.mark.parametrize('shape', [(17, 4, 4), (16, 4, 4), (1, 18, 4, 4)])
def test_wrong_shapes(shape):
    with pytest.raises(ValueError, match=r'2 \* k \* k'):
        offset_magnitude(torch.zeros(shape))


def test_draw_magnitude(image):
    offset = torch.zeros(2, 4, 6)
    zero = draw_offset_magnitude(image, offset, alpha=1.)
    assert (zero[..., 2] > zero[..., 0]).all()
    offset[0, :, :2] = 3.
    drawn = draw_offset_magnitude(image, offset, alpha=1.).astype(int)
    assert (drawn[:, :16, 0] > drawn[:, :16, 2]).all()
    weak = draw_offset_magnitude(image, offset, max_magnitude=30, alpha=1.)
    assert (weak[..., 2] > weak[..., 0]).all()


def test_arrows_point_along_the_offsets(image):
    offset = torch.zeros(2, 4, 6)
    offset[1] = 2.  # dx = 2 cells = 32 pixels to the right
    drawn = draw_offset_arrows(image, offset, num_arrows=1)
    changed = np.argwhere((drawn != image).any(-1))
    height, width = np.ptp(changed, axis=0)
    assert 30 <= width <= 40 and height <= 16
    assert draw_offset_arrows(image, offset, num_arrows=1).shape == image.shape
    assert (image == 100).all()


def test_curves(tmp_path):
    lines = [dict(loss=1., step=1)]
    lines += [{
        'offset/conv_1_mean': 0.1 * i,
        'offset/conv_1_outside': 0.01 * i,
        'step': i
    } for i in range(2, 5)]
    path = tmp_path / 'curves.png'
    plot_offset_curves(lines, str(path))
    with Image.open(path) as image:
        assert image.size[0] > image.size[1] > 100
    with pytest.raises(ValueError, match='OffsetMonitorHook'):
        plot_offset_curves(lines[:1], str(path))

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional

from mmwsss.structures import ClassMaps, LabelGrid, resize_maps, to_image_size


def test_scores_have_the_background_first():
    maps, background = torch.rand(2, 3, 4, 5), torch.rand(2, 1, 4, 5)
    alone = ClassMaps(maps, maps.mean((2, 3)))
    assert alone.scores is maps and alone.maps_of_seeds is maps
    both = ClassMaps(maps, maps.mean((2, 3)), background)
    assert torch.equal(both.scores, torch.cat([background, maps], dim=1))
    stock = ClassMaps.from_scores(both.scores)
    assert torch.equal(stock.maps, maps)
    assert torch.equal(stock.background, background)
    assert torch.equal(stock.logits, maps.mean((2, 3)))


def test_there_is_one_truth():
    """Other maps are the maps of seeds, too, unless these are said to differ."""
    maps, others = torch.rand(2, 2, 3, 4, 5)
    answer = ClassMaps(maps, maps.mean((2, 3)))
    assert replace(answer, maps=others).maps_of_seeds is others
    assert replace(answer, maps=others).seed_scores is others
    assert replace(answer, seed_maps=others).maps_of_seeds is others
    with pytest.raises(FrozenInstanceError):
        answer.maps = others


@pytest.mark.parametrize('change, message', [
    (dict(logits=torch.rand(2, 4)), 'maps must be'),
    (dict(maps=torch.rand(2, 3, 4)), 'maps must be'),
    (dict(background=torch.rand(2, 4, 5)), 'background must be'),
    (dict(seed_maps=torch.rand(2, 4, 8, 10)), 'seed_maps must be'),
    (dict(seed_maps=torch.rand(2, 3, 8)), 'seed_maps must be'),
    (dict(seed_maps=torch.rand(2, 3, 8, 10),
          seed_background=torch.rand(2, 1, 4, 5)), 'seed_background must be'),
])
def test_shapes_are_checked(change, message):
    fields = dict(maps=torch.rand(2, 3, 4, 5), logits=torch.rand(2, 3))
    with pytest.raises(ValueError, match=message):
        ClassMaps(**{**fields, **change})


@pytest.mark.parametrize('size', [(32, 40), (106, 33), (138, 9), (7, 1)])
@pytest.mark.parametrize('stride', [1, 4, 8])
def test_label_grid_against_pillow(size, stride):
    cells = [(side - 1) // stride + 1 for side in size]
    image = np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8)
    expected = np.asarray(
        Image.fromarray(image).resize(cells[::-1], Image.Resampling.NEAREST))
    grid = LabelGrid(size, cells)
    labels = torch.from_numpy(image)
    assert np.array_equal(grid.sample(labels).numpy(), expected)
    assert torch.equal(grid.sample(labels[None, None])[0, 0], grid.sample(labels))
    with pytest.raises(ValueError, match='expected shape'):
        grid.sample(labels[:-1])


def test_cells_inside_a_box():
    grid = LabelGrid((8, 12), (4, 3))
    # Cells stand for rows 1, 3, 5, 7 and columns 2, 6, 10.
    assert grid.box((3, 1, 11, 6)) == (slice(0, 3), slice(1, 3))
    assert grid.box(None) == (slice(0, 4), slice(0, 3))
    inside = grid.inside((3, 1, 11, 6))
    assert inside.tolist() == [[False, True, True]] * 3 + [[False] * 3]
    assert grid.inside(None).all()
    assert not grid.inside((3, 1, 5, 6)).any()


@pytest.mark.parametrize('size', [(13, 18), (16, 20), (1, 5)])
def test_maps_at_image_size(size):
    small = torch.rand(3, (size[0] - 1) // 4 + 1, (size[1] - 1) // 4 + 1)
    for maps in (small, torch.rand(3, 2, 3)):
        expected = torch.zeros(3, *size)
        height, width = maps.shape[1:]
        strided = maps is small
        for y, x in np.ndindex(size):
            # Pixel centres, either four a cell or stretched over the image.
            v = (y + .5) / 4 - .5 if strided else (y + .5) * height / size[0] - .5
            u = (x + .5) / 4 - .5 if strided else (x + .5) * width / size[1] - .5
            v, u = min(max(v, 0), height - 1), min(max(u, 0), width - 1)
            top, left = int(v), int(u)
            low, right = min(top + 1, height - 1), min(left + 1, width - 1)
            v, u = v - top, u - left
            expected[:, y, x] = (
                (1 - v) * ((1 - u) * maps[:, top, left] + u * maps[:, top, right])
                + v * ((1 - u) * maps[:, low, left] + u * maps[:, low, right]))
        torch.testing.assert_close(
            to_image_size(maps, size), expected, atol=1e-5, rtol=0)
        assert torch.equal(
            to_image_size(maps[None], size)[0], to_image_size(maps, size))
    assert to_image_size(torch.rand(0, 2, 3), size).shape == (0, *size)
    assert to_image_size(expected, size) is expected


def test_resized_maps_are_those_of_torch():
    maps = torch.rand(2, 3, 4, 5)
    for size in ((4, 5), (7, 3)):
        expected = functional.interpolate(
            maps, size=size, mode='bilinear', align_corners=False)
        assert torch.equal(resize_maps(maps, size), expected)
        assert torch.equal(resize_maps(maps[0], size), expected[0])
        assert resize_maps(maps[:, :0], size).shape == (2, 0, *size)

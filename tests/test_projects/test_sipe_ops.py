# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Seeds, prototypes, maps and loss of SIPE against loops, pixel by pixel."""


import pytest
import torch

from projects.sipe import GSCLoss, HierarchicalFeature, SIPEHead
from projects.sipe import prototypes as ops
from projects.sipe.prototypes import (
    image_prototypes,
    image_specific_maps,
    structure_aware_seeds,
)


def pixels(size):
    return [(y, x) for y in range(size[0]) for x in range(size[1])]


def cosine(a, b, eps=0.):
    return (a @ b / ((a.norm() + eps) * (b.norm() + eps))).clamp(min=0)


def naive_seeds(maps, features, present, valid, factor):
    seeds = torch.zeros_like(maps)
    for n in range(len(maps)):
        places = [at for at in pixels(maps.shape[2:]) if valid[n, 0][at]]
        for i in places:
            near = {j: cosine(features[n, :, i[0], i[1]], features[n, :, j[0], j[1]],
                              1e-5) for j in places}
            best, winner = -1, None
            for c in range(maps.shape[1]):
                if c and not present[n, c - 1]:
                    continue
                both = sum(near[j] * maps[n, c][j] for j in places)
                either = sum(near[j] + maps[n, c][j] for j in places) - both
                overlap = both / either * (factor if c == 0 else 1)
                if overlap > best:
                    best, winner = overlap, c
            seeds[n, winner][i] = 1
    return seeds


def make_inputs():
    torch.manual_seed(0)
    maps = torch.rand(2, 4, 5, 6, dtype=torch.float64)
    features = torch.randn(2, 7, 5, 6, dtype=torch.float64)
    # Two halves that look different, one of them a class.
    features[:, 0, :, :3] += 4
    features[:, 1, :, 3:] += 4
    maps[:, 2, :, :3] += 1
    maps[:, 0, :, 3:] += 2
    present = torch.tensor([[True, True, False], [False, True, True]])
    valid = torch.ones(2, 1, 5, 6, dtype=torch.bool)
    valid[1, :, :, 5] = valid[1, :, 0] = False
    return maps / 3, features, present, valid


@pytest.mark.parametrize('factor', [0.5, 1.])
def test_seeds_against_naive(factor):
    maps, features, present, valid = make_inputs()
    seeds = structure_aware_seeds(maps, features, present, valid, factor)
    expected = naive_seeds(maps, features, present, valid, factor)
    assert torch.equal(seeds, expected)
    assert {0, 2} <= set(seeds[0].argmax(0).flatten().tolist())
    every = torch.ones_like(valid)
    assert torch.equal(
        structure_aware_seeds(maps, features, present, background_factor=factor),
        naive_seeds(maps, features, present, every, factor))


@pytest.mark.parametrize('max_entries', [1, 7, 100, 2 * 30 * 4])
def test_rows_at_a_time_change_nothing(max_entries):
    maps, features, present, valid = make_inputs()
    whole = structure_aware_seeds(maps, features, present, valid)
    parts = structure_aware_seeds(
        maps, features, present, valid, max_entries=max_entries)
    assert torch.equal(whole, parts)


def test_no_map_of_all_pairs_is_made(monkeypatch):
    """The largest product of an image of n pixels is far from n * n."""
    largest = 0
    multiply = torch.Tensor.__matmul__

    def watched(a, b):
        nonlocal largest
        result = multiply(a, b)
        largest = max(largest, result.numel())
        return result

    monkeypatch.setattr(torch.Tensor, '__matmul__', watched)
    maps, features = torch.rand(1, 3, 40, 50), torch.randn(1, 4, 40, 50)
    structure_aware_seeds(
        maps, features, torch.ones(1, 2), max_entries=10 * 2000)
    assert 2000 < largest <= 10 * 2000
    assert ops.MAX_ENTRIES * 4 <= 1 << 24


def test_an_image_of_nothing():
    """Dead features, empty maps and a class that shows nowhere."""
    maps = torch.zeros(1, 3, 2, 2)
    maps[:, 0] = 1
    seeds = structure_aware_seeds(
        maps, torch.zeros(1, 5, 2, 2), torch.tensor([[True, False]]))
    assert seeds.sum(dim=1).eq(1).all() and seeds.isfinite().all()
    features = torch.rand(1, 5, 2, 2)
    found = image_prototypes(seeds, features)
    assert not found[:, 2].any()
    specific = image_specific_maps(found, features)
    assert specific.isfinite().all() and not specific[:, 2].any()
    nobody = structure_aware_seeds(
        maps, features, torch.ones(1, 2), torch.zeros(1, 1, 2, 2))
    assert not nobody.any() and not image_prototypes(nobody, features).any()


def test_prototypes_and_maps_against_naive():
    maps, features, present, valid = make_inputs()
    seeds = structure_aware_seeds(maps, features, present, valid)
    found = image_prototypes(seeds, features)
    specific = image_specific_maps(found, features)
    for n in range(2):
        for c in range(4):
            mine = [features[n, :, y, x] for y, x in pixels((5, 6))
                    if seeds[n, c, y, x]]
            if not mine:
                assert not specific[n, c].any()
                continue
            mean = sum(mine) / len(mine)
            torch.testing.assert_close(found[n, c], mean)
            for y, x in pixels((5, 6)):
                torch.testing.assert_close(
                    specific[n, c, y, x], cosine(features[n, :, y, x], mean))
    # No cosine tells how long a prototype is.
    torch.testing.assert_close(
        specific, image_specific_maps(found / 30, features))


def test_loss_against_naive():
    torch.manual_seed(0)
    general, specific = torch.rand(2, 2, 3, 4, 5).double().requires_grad_()
    valid = torch.rand(2, 1, 4, 5) > 0.3

    def naive(valid):
        total = count = 0
        for n in range(2):
            places = [at for at in pixels((4, 5)) if valid[n, 0][at]]
            for c in range(3):
                peak = max(specific[n, c][at] for at in places)
                for at in places:
                    total = total + abs(
                        general[n, c][at] - specific[n, c][at] / (peak + 1e-5))
                    count += 1
        return 2 * total / count

    loss = GSCLoss(loss_weight=2.)
    torch.testing.assert_close(loss(general, specific, valid), naive(valid))
    every = torch.ones_like(valid)
    torch.testing.assert_close(loss(general, specific), naive(every))
    torch.testing.assert_close(
        loss(general, specific), loss(general, specific, every))
    assert loss(general, specific, torch.zeros_like(valid)) == 0
    ours, theirs = (
        torch.autograd.grad(value, [general, specific], retain_graph=True)
        for value in (loss(general, specific, valid), naive(valid)))
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other)


def test_hierarchical_feature_against_naive():
    torch.manual_seed(0)
    layer = HierarchicalFeature([3, 5, 4], [2, 3, 4])
    features = [torch.rand(2, 3, 8, 12), torch.rand(2, 5, 4, 6),
                torch.rand(2, 4, 4, 6)]
    for feature in features:
        feature.requires_grad_()
    joined = layer(features)
    assert joined.shape == (2, 9, 4, 6)
    # The first level is twice as large: the mean of four pixels of length 1.
    weight = layer.convs[0].weight[:, :, 0, 0]
    for n, y, x in ((0, 0, 0), (1, 3, 5), (0, 2, 1)):
        block = features[0][n, :, 2 * y:2 * y + 2, 2 * x:2 * x + 2].flatten(1)
        vectors = [weight @ one for one in block.T]
        mean = sum(one / (one.norm() + 1e-5) for one in vectors) / 4
        torch.testing.assert_close(joined[n, :2, y, x], mean)
    for part in (joined[:, 2:5], joined[:, 5:]):
        torch.testing.assert_close(
            part.norm(dim=1), torch.ones(2, 4, 6), atol=1e-4, rtol=0)
    joined.sum().backward()
    assert all(feature.grad is None for feature in features)
    assert all(conv.weight.grad is not None for conv in layer.convs)


def head(**options):
    torch.manual_seed(0)
    return SIPEHead([3, 4], 4, in_index=(0, 1), side_channels=(2, 3), **options)


def test_the_background_of_the_images_classes():
    maps = torch.full((1, 3, 1, 2), -1.)
    maps[0, 0, 0, 0] = 2
    maps[0, 2, 0, 1] = 3
    present = torch.tensor([[True, False, False]])
    ours = head().general_maps(maps, present)
    torch.testing.assert_close(
        ours[0, :, 0], torch.tensor([[0., 1], [1, 0], [0, 0], [0, 0]]),
        atol=1e-5, rtol=0)
    # The published code lets the third class, which the image lacks, lower it.
    published = head(absent_compete=True).general_maps(maps, present)
    torch.testing.assert_close(
        published[0, :, 0], torch.tensor([[0., 0], [1, 0], [0, 0], [0, 0]]),
        atol=1e-5, rtol=0)


def test_padding_does_not_take_part():
    """A class that is strongest in the padding still reaches 1 in the image."""
    maps = torch.tensor([1., 2, 8]).view(1, 1, 1, 3).expand(1, 3, 1, 3)
    valid = torch.tensor([True, True, False]).view(1, 1, 1, 3)
    present = torch.ones(1, 3, dtype=torch.bool)
    ours = head().general_maps(maps, present, valid)
    torch.testing.assert_close(
        ours[0, :2, 0], torch.tensor([[0.5, 0, 0], [0.5, 1, 0]]), atol=1e-5, rtol=0)
    published = head(count_padding=True).general_maps(maps, present, valid)
    torch.testing.assert_close(
        published[0, :2, 0], torch.tensor([[7., 6, 0], [1, 2, 0]]) / 8,
        atol=1e-5, rtol=0)


def test_errors():
    with pytest.raises(ValueError, match=r'as many levels, got \(3,\) and \(2, 2\)'):
        HierarchicalFeature((3, ), (2, 2))
    with pytest.raises(ValueError, match=r'as many features, got \(3, 4\), \(0,\)'):
        SIPEHead([3, 4], 4, in_index=(0, ), side_channels=(2, 3))
    for name in ('train_seed_features', 'test_seed_features'):
        with pytest.raises(ValueError, match=f"{name} must be one of .*'shallow'"):
            head(**{name: 'shallow'})
    maps, features, present, _ = make_inputs()
    for wrong in ((features[..., :5], present), (features, present[:, :2])):
        with pytest.raises(ValueError, match=r'need features of shape \(2, D, 5, 6\)'):
            structure_aware_seeds(maps, *wrong)

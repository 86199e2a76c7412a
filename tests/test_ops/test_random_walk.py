# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import pytest
import torch
from dense_walk import (
    dense_feature_affinity,
    dense_path_affinity,
    dense_transition,
    dense_walk,
)
from memory import peak_memory

from mmwsss.ops import affinity_walk, feature_affinity, path_affinity, random_walk
from mmwsss.ops.pixel_pairs import pair_offsets, path_offsets

DEVICES = ['cpu'] + ['cuda'] * torch.cuda.is_available()


def random(*shape, seed=0, dtype=torch.double):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(shape, generator=generator, dtype=dtype)


def at_pairs(matrix, offsets, size):
    """A dense matrix in the layout (P, h, w) of our ops."""
    height, width = size
    result = torch.zeros(len(offsets), height, width, dtype=matrix.dtype)
    for p, (dy, dx) in enumerate(offsets.tolist()):
        for y in range(height - dy):
            for x in range(max(0, -dx), width - max(0, dx)):
                result[p, y, x] = matrix[y * width + x,
                                         (y + dy) * width + x + dx]
    return result


def test_pairs_and_paths_of_irn():
    # Numbers of the authors' network for radius 10.
    lengths = [len(path_offsets(offset)) for offset in pair_offsets(10)]
    counts = {length: lengths.count(length) for length in sorted(set(lengths))}
    assert counts == {
        2: 2, 3: 2, 4: 4, 5: 2, 6: 6, 7: 4, 8: 10, 9: 2, 10: 12, 11: 4, 12: 12,
        13: 2, 14: 8, 15: 8, 16: 22, 18: 16, 19: 6, 20: 20, 21: 4, 22: 6
    }
    assert len(pair_offsets(5)) == 34
    assert path_offsets((1, 2)) == ((1, 2), (0, 2), (1, 1), (0, 1), (1, 0), (0, 0))


@pytest.mark.parametrize('device', DEVICES)
@pytest.mark.parametrize('size,radius', [((6, 7), 4), ((2, 9), 3), ((1, 1), 5),
                                         ((3, 3), 10)])
def test_path_affinity(size, radius, device):
    boundary = random(2, 1, *size)
    affinity, offsets = path_affinity(boundary.to(device), radius)
    assert affinity.shape == (2, len(pair_offsets(radius)), *size)
    assert offsets.shape == (len(pair_offsets(radius)), 2)
    for one, edge in zip(affinity.cpu(), boundary[:, 0], strict=True):
        dense = dense_path_affinity(edge, radius)
        torch.testing.assert_close(one, at_pairs(dense, offsets.cpu(), size))


def test_path_affinity_gradient():
    edge = random(5, 6).requires_grad_()
    affinity, offsets = path_affinity(edge[None, None], 4)
    weights = random(*affinity.shape[1:], seed=1)
    ours, = torch.autograd.grad((affinity[0] * weights).sum(), edge)
    dense = at_pairs(dense_path_affinity(edge, 4), offsets, (5, 6))
    naive, = torch.autograd.grad((dense * weights).sum(), edge)
    torch.testing.assert_close(ours, naive)
    assert torch.autograd.gradcheck(
        lambda edge: path_affinity(edge[None, None], 3)[0],
        edge,
        fast_mode=True)


def test_path_affinity_gradient_of_equals_goes_to_one_pixel():
    boundary = torch.full((1, 1, 1, 2), 0.5, requires_grad=True)
    affinity, _ = path_affinity(boundary, 2)
    affinity[0, 0, 0, 0].backward()
    assert boundary.grad.flatten().tolist() == [0, -1]


@pytest.mark.parametrize('border', [False, True])
@pytest.mark.parametrize('size,radius', [((7, 9), 3), ((3, 12), 5)])
def test_feature_affinity(size, radius, border):
    features = random(1, 3, *size)
    affinity, offsets = feature_affinity(features, radius, border)
    dense = dense_feature_affinity(features[0], radius, border)
    torch.testing.assert_close(affinity[0], at_pairs(dense, offsets, size))


def test_feature_affinity_gradient():
    features = random(1, 2, 4, 6).requires_grad_()
    for border in (False, True):
        assert torch.autograd.gradcheck(
            lambda features, border=border: feature_affinity(
                features, 3, border)[0],
            features,
            fast_mode=True)


@pytest.mark.parametrize('device', DEVICES)
@pytest.mark.parametrize('strength', [0.02, 0.3, 1.])
@pytest.mark.parametrize('size,radius,squarings', [((9, 10), 5, 8),
                                                   ((6, 11), 3, 3),
                                                   ((2, 3), 5, 8)])
def test_random_walk_is_the_dense_walk(size, radius, squarings, strength,
                                       device):
    scores, boundary = random(2, 3, *size), strength * random(2, 1, *size, seed=1)
    result = random_walk(
        scores.to(device), boundary.to(device), radius=radius,
        steps=2**squarings)
    for one, score, edge in zip(result.cpu(), scores, boundary, strict=True):
        dense = dense_walk(score * (1 - edge),
                           dense_path_affinity(edge[0], radius), 10, squarings)
        torch.testing.assert_close(one, dense)


@pytest.mark.parametrize('border', [False, True])
def test_affinity_walk_is_the_dense_walk(border):
    scores, features = random(1, 2, 9, 11), 3 * random(1, 4, 9, 11, seed=1)
    result = affinity_walk(scores, features, border=border)
    matrix = dense_feature_affinity(features[0], 5, border)
    dense = dense_walk(scores[0], matrix, 8, 8)
    torch.testing.assert_close(result[0], dense)


@pytest.mark.parametrize('steps', [0, 1, 2, 5, 60])
def test_any_number_of_steps(steps):
    scores, boundary = random(1, 1, 4, 5), random(1, 1, 4, 5, seed=1)
    result = random_walk(scores, boundary, radius=3, beta=2.5, steps=steps)
    transition = dense_transition(
        dense_path_affinity(boundary[0, 0], 3), 2.5)
    start = (scores * (1 - boundary)).flatten(1)
    expected = start @ torch.linalg.matrix_power(transition, steps)
    torch.testing.assert_close(result.flatten(1), expected)


def test_columns_sum_to_1():
    # Every new score is a mean of old ones: a constant stays what it is, and
    # nothing exceeds what there was. The start is scaled by 1 - boundary.
    boundary = 0.6 * random(1, 1, 16, 20)
    constant = 0.7 / (1 - boundary)
    torch.testing.assert_close(
        random_walk(constant, boundary), torch.full_like(boundary, 0.7))
    scores = random(1, 2, 16, 20, seed=1)
    result = random_walk(scores, boundary)
    start = scores * (1 - boundary)
    assert result.max() < start.max() and result.min() > start.min()
    # Impulses at all pixels read the columns.
    impulses = torch.eye(5 * 6, dtype=torch.double).view(1, 30, 5, 6)
    columns = affinity_walk(impulses, random(1, 3, 5, 6), steps=16)
    torch.testing.assert_close(columns.sum(1), torch.ones(1, 5, 6).double())


def test_no_boundary_spreads_and_a_boundary_stops():
    scores = torch.zeros(1, 1, 24, 24)
    scores[..., 8:12, 8:12] = 1
    free = random_walk(scores, torch.zeros(1, 1, 24, 24))
    assert free.min() > 0.01 and free.max() < 0.1
    assert not random_walk(scores, torch.ones(1, 1, 24, 24)).any()
    # A wall around the scores holds them; their walk goes on inside.
    boundary = torch.zeros(1, 1, 24, 24)
    boundary[..., :16, 14:16] = boundary[..., 14:16, :16] = 1
    held = random_walk(scores, boundary)
    assert not held[..., 16:, :].any() and not held[..., 16:].any()
    assert held[..., :14, :14].min() > 0.05


def test_gradient_of_scores():
    boundary = random(1, 1, 3, 4)
    features = random(1, 2, 3, 4)
    scores = random(1, 2, 3, 4, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda scores: random_walk(scores, boundary, 3, 2, 40),
        scores,
        fast_mode=True)
    assert torch.autograd.gradcheck(
        lambda scores: affinity_walk(scores, features, 3, 2, 7, True),
        scores,
        fast_mode=True)


@pytest.mark.parametrize('device', DEVICES)
@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float])
def test_types(dtype, device):
    scores = random(1, 2, 8, 9).to(device, dtype)
    boundary = random(1, 1, 8, 9, seed=1).to(device, dtype)
    result = random_walk(scores, boundary)
    assert result.dtype == dtype and result.device == scores.device
    # Sums are taken as floats, each step rounds; halves are rounded once.
    torch.testing.assert_close(
        result.double(), random_walk(scores.double(), boundary.double()),
        rtol=torch.finfo(dtype).eps, atol=256 * torch.finfo(torch.float).eps)
    features = random(1, 3, 8, 9).to(device, dtype)
    assert affinity_walk(scores, features).dtype == dtype


def test_no_classes():
    assert random_walk(
        torch.zeros(1, 0, 4, 5), torch.zeros(1, 1, 4, 5)).shape == (1, 0, 4, 5)


def test_large_images_need_little_memory():
    # 640x640 pixels at stride 4: the dense matrix alone had 2.6 GB. Steps reuse
    # their memory: some are as good as all.
    scores = random(1, 3, 160, 160).float().requires_grad_()
    boundary = 0.2 * random(1, 1, 160, 160, seed=1).float()
    features = random(1, 4, 160, 160, seed=2).float()
    peak = peak_memory(
        lambda: random_walk(scores, boundary, steps=4).sum().backward())
    assert 0 < peak < 400e6
    assert scores.grad.shape == scores.shape
    peak = peak_memory(lambda: affinity_walk(scores, features, steps=4))
    assert 0 < peak < 400e6


@pytest.mark.parametrize('arguments,message', [
    (dict(scores=torch.rand(2, 4, 5)), 'scores must be floating'),
    (dict(scores=torch.ones(1, 2, 4, 5, dtype=torch.int)), 'scores must be'),
    (dict(boundary=torch.rand(1, 2, 4, 5)), r'shape \(N, 1, h, w\)'),
    (dict(boundary=torch.rand(1, 1, 4, 6)), 'boundary must have the shape'),
    (dict(boundary=torch.full((1, 1, 4, 5), 1.2)), r'lie in \[0, 1\]'),
    (dict(boundary=torch.full((1, 1, 4, 5), float('nan'))), r'lie in \[0, 1\]'),
    (dict(boundary=torch.ones(1, 1, 4, 5, dtype=torch.int)), 'floating type'),
    (dict(radius=1), 'radius must be'),
    (dict(radius=2.5), 'radius must be'),
    (dict(beta=0), 'beta must be positive'),
    (dict(steps=-1), 'steps must be'),
    (dict(steps=2.), 'steps must be'),
])
def test_wrong_arguments(arguments, message):
    arguments = dict(
        dict(scores=torch.rand(1, 2, 4, 5), boundary=torch.rand(1, 1, 4, 5)),
        **arguments)
    with pytest.raises(ValueError, match=message):
        random_walk(**arguments)


def test_wrong_features():
    with pytest.raises(ValueError, match=r'features must have the shape'):
        feature_affinity(torch.rand(3, 4, 5), 3)
    with pytest.raises(ValueError, match='features must have the shape'):
        affinity_walk(torch.rand(1, 2, 4, 5), torch.rand(1, 3, 4, 6))
    with pytest.raises(ValueError, match='floating type'):
        feature_affinity(torch.ones(1, 2, 4, 5, dtype=torch.int), 3)

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import itertools
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from mmwsss.ops import affinity_label, dense_crf
from mmwsss.ops.dense_crf_backends import (
    BACKENDS,
    _cpu_backend,
    geometry,
    numba_backend,
    torch_backend,
)

OURS = ['numba', 'torch']
PRESETS = [((3, 3), (50, 5, 10)), ((3, 3), (80, 13, 10)), ((1, 3), (67, 3, 4)),
           ((3, 3), (32, 13, 10))]


def features_of(image, gaussian, bilateral):
    """Features of both kernels, of shape (N, 2) and (N, 5), in deviations."""
    rows, columns = np.mgrid[:image.shape[1], :image.shape[2]]
    place = np.stack([columns.ravel(), rows.ravel()], 1).astype(float)
    colour = image.transpose(1, 2, 0).reshape(-1, 3).astype(float)
    return (place / gaussian[0], np.concatenate(
        [place / bilateral[0], colour / bilateral[1]], 1))


def exact_kernel(features):
    """The Gaussian of each pair."""
    distance = ((features[:, None] - features[None])**2).sum(-1)
    return np.exp(-distance / 2)


def lattice_kernel(features):
    """The permutohedral lattice's approximation, by the book.

    Vertices are tuples in a dict, shares solve a linear system, and splatting,
    blurring and slicing are matrices, all in double precision.
    """
    size = features.shape[1] + 1
    basis = np.zeros((size - 1, size))
    for i in range(1, size):
        basis[i - 1, :i] = 1
        basis[i - 1, i] = -i
    basis /= np.linalg.norm(basis, axis=1, keepdims=True)
    vertices, shares = {}, []
    for point in features @ basis * size * np.sqrt(2 / 3):
        near = size * np.round(point / size)
        order = np.argsort(near - point, kind='stable')
        # As many coordinates go to the next multiple as make the sum 0.
        excess = round(near.sum() / size)
        if excess > 0:
            near[order[size - excess:]] -= size
        else:
            near[order[:-excess]] += size
        order = np.argsort(near - point, kind='stable')
        corners = np.tile(near, (size, 1))
        for r in range(size):
            corners[r] += r
            corners[r, order[size - r:]] -= size
        system = np.vstack([corners.T, np.ones(size)])
        weights = np.linalg.lstsq(system, np.append(point, 1), rcond=None)[0]
        assert weights.min() > -1e-9
        shares.append({vertices.setdefault(tuple(corner), len(vertices)): weight
                       for corner, weight in zip(corners.round().astype(int),
                                                 weights, strict=True)})
    splat = np.zeros((len(vertices), len(features)))
    for pixel, share in enumerate(shares):
        for vertex, weight in share.items():
            splat[vertex, pixel] = weight
    result = splat
    for axis in range(size):
        blur = np.eye(len(vertices))
        for vertex, number in vertices.items():
            for sign in (1, -1):
                side = [place - sign for place in vertex]
                side[axis] += sign * size
                if tuple(side) in vertices:
                    blur[number, vertices[tuple(side)]] = .5
        result = blur @ result
    return splat.T @ result / (1 + .5**(size - 1))


def naive_mean_field(probs, image, num_iter=10, gaussian=(3, 3),
                     bilateral=(80, 13, 10), unary='softmax', gt_prob=.7,
                     kernel_of=exact_kernel):
    """Dense CRF by the full matrix of pairs, kernels normalised on both sides."""
    num_labels, height, width = probs.shape
    probs = probs.astype(float)
    if unary == 'softmax':
        energy = -np.log(np.clip(probs, 1e-5, 1)).reshape(num_labels, -1)
    else:
        energy = np.full((num_labels, height * width),
                         -np.log((1 - gt_prob) / (num_labels - 1)))
        best = probs.argmax(0).ravel()
        energy[best, np.arange(height * width)] = -np.log(gt_prob)
    kernel = 0
    for features, weight in zip(
            features_of(image, gaussian, bilateral),
            (gaussian[1], bilateral[2]), strict=True):
        pairs = kernel_of(features)
        norm = 1 / np.sqrt(pairs.sum(1) + 1e-20)
        kernel = kernel + weight * norm[:, None] * pairs * norm[None]
    belief = np.exp(-energy)
    belief /= belief.sum(0)
    for _ in range(num_iter):
        belief = -energy + belief @ kernel.T
        belief = np.exp(belief - belief.max(0))
        belief /= belief.sum(0)
    return belief.reshape(probs.shape)


def make_case(num_labels=2, size=(12, 14), seed=0):
    """An image of stripes, and noisy scores of them."""
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


def refine(probs, image, **settings):
    return dense_crf(torch.from_numpy(probs)[None],
                     torch.from_numpy(image)[None], **settings)[0].numpy()


@pytest.fixture(params=[*OURS, 'pydensecrf'])
def backend(request):
    if request.param != 'torch':
        pytest.importorskip(request.param)
    return request.param


@pytest.fixture(params=OURS)
def ours(request):
    if request.param == 'numba':
        pytest.importorskip('numba')
    return request.param


@pytest.mark.parametrize('num_labels', [2, 3])
@pytest.mark.parametrize('unary', ['softmax', 'labels'])
def test_against_exact_kernels(backend, unary, num_labels):
    """The lattice approximates the kernels; labels of a clear case agree."""
    probs, image, truth = make_case(num_labels)
    settings = dict(num_iter=5, bilateral=(30, 13, 10), unary=unary)
    refined = refine(probs, image, backend=backend, **settings)
    expected = naive_mean_field(probs, image, **settings)
    assert (probs.argmax(0) != truth).any()
    np.testing.assert_array_equal(refined.argmax(0), expected.argmax(0))
    np.testing.assert_array_equal(refined.argmax(0), truth)
    # The lattice's error; a wrong kernel or unary moves much more.
    assert np.abs(refined - expected).mean() < .05


# Registers of 1, 2, 4 and 8 labels, full and not, and blocks of them.
@pytest.mark.parametrize('num_labels', [2, 3, 4, 5, 6, 9, 10, 17, 21, 81])
@pytest.mark.parametrize('unary', ['softmax', 'labels'])
def test_against_naive_lattice(backend, unary, num_labels):
    probs, image, _ = make_case(num_labels, (9, 12), seed=num_labels)
    gaussian, bilateral = PRESETS[num_labels % 4]
    settings = dict(num_iter=3, gaussian=gaussian, bilateral=bilateral,
                    unary=unary, gt_prob=.6)
    refined = refine(probs, image, backend=backend, **settings)
    expected = naive_mean_field(
        probs, image, kernel_of=lattice_kernel, **settings)
    assert np.abs(expected - probs).max() > .005
    np.testing.assert_allclose(refined, expected, atol=2e-5)
    np.testing.assert_allclose(refined.sum(0), 1, atol=1e-5)
    assert refined.min() >= 0


@pytest.mark.parametrize('size', [(1, 1), (1, 17), (17, 1), (2, 3)])
def test_narrow_and_constant_images(backend, size):
    probs, image, _ = make_case(3, (17, 17))
    probs, image = probs[:, :size[0], :size[1]], image[:, :size[0], :size[1]]
    for guide in (image, np.full_like(image, 7)):
        np.testing.assert_allclose(
            refine(probs, guide, backend=backend),
            naive_mean_field(probs, guide, kernel_of=lattice_kernel),
            atol=5e-5)


@pytest.mark.parametrize('bilateral', [(80, .05, 10), (.02, 5, 10),
                                       (.3, .1, 10)])
def test_small_deviations(ours, bilateral):
    """Where coordinates of vertices do not fit into one whole number, too."""
    probs, image, _ = make_case(3, (8, 9))
    # Far and near colours.
    image[:, ::2] = 255 - image[:, ::2] // 200
    np.testing.assert_allclose(
        refine(probs, image, bilateral=bilateral, backend=ours),
        naive_mean_field(
            probs, image, bilateral=bilateral, kernel_of=lattice_kernel),
        atol=2e-3)


def test_range_of_keys():
    """Keys of vertices and of their neighbours are of one vertex each."""
    deviations, highest = (20, 20, 40, 40, 40), [5, 5, 255, 255, 255]
    rows = geometry.embedding(deviations)
    steps, origin, bits = geometry.key_steps(rows, highest)
    points = np.array(list(itertools.product(*((0, one) for one in highest))))
    corners = points @ rows / 6
    # Quotients of the vertices around all points, and of those next to them.
    lowest = np.floor(corners.min(0)) - 3
    largest = np.ceil(corners.max(0)) + 3
    assert origin + lowest @ steps >= 0
    assert origin + largest @ steps < 2**bits
    # Mixed radix: each step exceeds what all before it can add up to.
    reach = 0
    for step, low, large in zip(steps[:-1], lowest, largest, strict=False):
        assert step > reach
        reach += step * (large - low)
    small = geometry.embedding((80, 80, .01, .01, .01))
    assert geometry.key_steps(small, [499, 499, 255, 255, 255]) is None


def test_equal_keys_of_far_pixels(ours):
    """Vertices that only distant pixels share are one vertex."""
    probs, image, _ = make_case(2, (2, 40))
    image[:] = np.where(np.arange(40) % 2, 250, 3)
    np.testing.assert_allclose(
        refine(probs, image, bilateral=(60, 3, 10), backend=ours),
        naive_mean_field(
            probs, image, bilateral=(60, 3, 10), kernel_of=lattice_kernel),
        atol=2e-3)


def test_too_small_deviations(ours):
    for kernel in (dict(bilateral=(80, 1e-4, 10)), dict(gaussian=(1e-6, 3))):
        with pytest.raises(ValueError, match='deviations.*too small'):
            dense_crf(torch.rand(1, 2, 4, 5), torch.zeros(1, 3, 4, 5),
                      backend=ours, **kernel)


def make_scene(size=(90, 110), seed=0):
    """An image of smooth colours, and smooth scores of five labels."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 8, 7, 9, generator=generator)
    fine = torch.nn.functional.interpolate(
        coarse, size=size, mode='bilinear').squeeze(0)
    noise = torch.rand(3, *size, generator=generator) * 20
    image = (fine[:3] * 235 + noise).byte()
    return (fine[3:] * 8).softmax(0).numpy(), image.numpy()


@pytest.mark.parametrize('gaussian, bilateral', PRESETS)
def test_against_pydensecrf(ours, gaussian, bilateral):
    pytest.importorskip('pydensecrf')
    probs, image = make_scene()
    for num_labels in (2, 5):
        part = probs[:num_labels] / probs[:num_labels].sum(0)
        for unary in ('softmax', 'labels'):
            settings = dict(
                gaussian=gaussian, bilateral=bilateral, unary=unary)
            refined = refine(part, image, backend=ours, **settings)
            expected = refine(part, image, backend='pydensecrf', **settings)
            assert (refined.argmax(0) == expected.argmax(0)).mean() > .9999
            assert np.abs(refined - expected).mean() < 1e-5


def test_unaries_are_those_of_pydensecrf():
    utils = pytest.importorskip('pydensecrf.utils')
    from mmwsss.ops.dense_crf import _unary_logits
    probs, _, _ = make_case(4)
    probs[0, :3] = 0
    both = torch.from_numpy(probs)[None]
    np.testing.assert_allclose(
        -_unary_logits(both, 'softmax', .7).view(4, -1),
        utils.unary_from_softmax(probs), rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(
        -_unary_logits(both, 'labels', .6).view(4, -1),
        utils.unary_from_labels(probs.argmax(0), 4, .6, zero_unsure=False),
        rtol=1e-6)


def test_unary_alone(backend):
    """Without kernels the result is the unary itself."""
    probs, image, _ = make_case(3)
    probs, image = torch.from_numpy(probs)[None], torch.from_numpy(image)[None]
    off = dict(gaussian=(3, 0), bilateral=(50, 5, 0), backend=backend)
    torch.testing.assert_close(
        dense_crf(probs, image, **off), probs, atol=1e-4, rtol=0)
    labels = dense_crf(probs, image, unary='labels', gt_prob=.7, **off)
    assert torch.equal(labels.argmax(1), probs.argmax(1))
    torch.testing.assert_close(
        labels.sort(1).values[0, :, 0, 0], torch.tensor([.15, .15, .7]))


def test_certain_scores(backend):
    """Zeros count as 1e-5; of equals the first is the label."""
    _, image, truth = make_case(3)
    probs = np.eye(3, dtype=np.float32)[truth].transpose(2, 0, 1).copy()
    for unary in ('softmax', 'labels'):
        refined = refine(probs, image, unary=unary, backend=backend)
        np.testing.assert_array_equal(refined.argmax(0), truth)
        assert np.isfinite(refined).all()
    refined = refine(np.full_like(probs, .2), image, unary='labels',
                     backend=backend)
    assert (refined.argmax(0) == 0).all()


def test_batch_types_and_contiguity(backend):
    cases = [make_case(seed=seed) for seed in range(2)]
    probs = torch.from_numpy(np.stack([case[0] for case in cases]))
    image = torch.from_numpy(np.stack([case[1] for case in cases]))
    both = dense_crf(probs, image, backend=backend)
    for i in range(2):
        one = dense_crf(probs[i:i + 1].double(), image[i:i + 1].float(),
                        backend=backend)
        assert one.dtype == torch.float64
        torch.testing.assert_close(one[0].float(), both[i])
    half = dense_crf(probs.half(), image.half(), backend=backend)
    assert half.dtype == torch.float16
    torch.testing.assert_close(half.float(), both, atol=5e-3, rtol=0)
    turned = dense_crf(
        probs.mT.contiguous().mT, image.flip(1).flip(1), backend=backend)
    torch.testing.assert_close(turned, both)
    assert not dense_crf(
        probs.requires_grad_(), image, backend=backend).requires_grad


def test_threads(backend):
    """Several threads, with images of their own, do as one."""
    cases = [make_case(2 + seed % 3, (20, 23), seed) for seed in range(8)]

    def work(case):
        return refine(*case[:2], backend=backend)

    expected = [work(case) for case in cases]
    with ThreadPoolExecutor(4) as pool:
        for done, one in zip(pool.map(work, cases), expected, strict=True):
            np.testing.assert_array_equal(done, one)


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a GPU')
def test_gpu():
    probs, image = make_scene()
    both = [torch.from_numpy(array)[None].cuda() for array in (probs, image)]
    refined = dense_crf(*both)
    assert refined.is_cuda
    np.testing.assert_allclose(
        refined[0].cpu().numpy(), refine(probs, image, backend='torch'),
        atol=1e-3)


def test_scores_of_one_image_share_its_lattice(monkeypatch):
    made = []

    def count(*arguments):
        made.append(arguments)
        return torch_backend.MeanField(*arguments)

    monkeypatch.setitem(BACKENDS, 'torch', count)
    probs, image, _ = make_case(3, seed=11)
    for i in range(1, 4):
        refine(probs**i, image, backend='torch', num_iter=i)
    refine(probs[:2], image, backend='torch', unary='labels')
    assert len(made) == 1
    refine(probs, image, backend='torch', bilateral=(80, 12, 10))
    assert len(made) == 2
    # By content, not by identity.
    refine(probs, image.copy(), backend='torch')
    assert len(made) == 2
    before = refine(probs, image, backend='torch')
    image[:] = 9
    assert np.abs(refine(probs, image, backend='torch') - before).max() > .01
    assert len(made) == 3
    # Two are kept.
    refine(probs, np.zeros_like(image), backend='torch')
    refine(probs, image, backend='torch')
    assert len(made) == 4


def test_one_label():
    probs = torch.rand(2, 1, 4, 5)
    assert (dense_crf(probs, torch.zeros(2, 3, 4, 5)) == 1).all()


@pytest.mark.parametrize('change, message', [
    (dict(probs=torch.rand(2, 4, 5)), 'probs'),
    (dict(probs=torch.rand(1, 0, 4, 5)), 'K >= 1'),
    (dict(probs=torch.rand(1, 2, 4, 5) + 1), r'\[0, 1\]'),
    (dict(probs=torch.full((1, 2, 4, 5), torch.nan)), 'nan'),
    (dict(image=torch.full((1, 3, 4, 5), torch.nan)), 'nan'),
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


@pytest.fixture
def fresh():
    """What was found out about numba is forgotten."""
    caches = numba_backend.load_kernels, _cpu_backend
    for function in caches:
        function.cache_clear()
    yield
    for function in caches:
        function.cache_clear()


def test_auto(fresh, monkeypatch):
    """numba where it is, else torch with one warning."""
    pytest.importorskip('numba')
    used = []
    for name in BACKENDS:
        monkeypatch.setitem(
            BACKENDS, name, lambda *arguments, name=name: used.append(name) or
            torch_backend.MeanField(*arguments))
    images = iter(torch.arange(12).view(3, 1, 1, 1, 4).expand(-1, 1, 3, 4, 4))
    dense_crf(torch.rand(1, 2, 4, 4), next(images))
    assert used == ['numba']
    _cpu_backend.cache_clear()
    numba_backend.load_kernels.cache_clear()
    monkeypatch.setitem(sys.modules, 'numba', None)
    with pytest.warns(UserWarning, match='pip install numba.*torch') as record:
        for image in images:
            dense_crf(torch.rand(1, 2, 4, 4), image)
    assert used == ['numba', 'torch', 'torch']
    assert len(record) == 1


@pytest.mark.parametrize('module, change', [
    ('numba', 'missing'), ('numba', 'switched off'), ('pydensecrf', 'missing')])
def test_absent_backend_by_name(fresh, monkeypatch, module, change):
    if change == 'missing':
        monkeypatch.setitem(sys.modules, module, None)
        monkeypatch.setitem(sys.modules, f'{module}.densecrf', None)
    else:
        numba = pytest.importorskip('numba')
        monkeypatch.setattr(numba.config, 'DISABLE_JIT', 1)
    with pytest.raises(ImportError, match=f'needs .*{module}'):
        dense_crf(torch.rand(1, 2, 4, 5), torch.full((1, 3, 4, 5), 9),
                  backend=module)


def test_numba_is_imported_when_needed():
    code = ('import sys, mmwsss.ops; '
            'sys.exit("numba" in sys.modules or "pydensecrf" in sys.modules)')
    subprocess.run([sys.executable, '-c', code], check=True)


def test_affinity_label():
    foreground = torch.tensor([3, 0, 0, 0, 5, 255], dtype=torch.uint8)
    background = torch.tensor([3, 0, 3, 5, 0, 0], dtype=torch.uint8)
    label = affinity_label(foreground, background)
    assert label.dtype == torch.uint8
    assert label.tolist() == [3, 0, 255, 255, 5, 255]
    with pytest.raises(ValueError, match='shape'):
        affinity_label(foreground, background[1:])

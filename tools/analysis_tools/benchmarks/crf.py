# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Dense CRF: pydensecrf, or torch where it is missing, against our backends.

Every call builds its lattice anew. Also: five thresholds of one image, which share
its lattice; two threads against one; and the first image of a process that finds
compiled code. ``--images`` and ``--masks`` take real images, on which every backend
takes longer, and blurred masks as scores; else smooth images are generated.
"""

import argparse
import os
import os.path as osp
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec

import numpy as np
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter
from torch import Tensor

from mmwsss.models.refiners import CRF_PRESETS
from mmwsss.ops.dense_crf import dense_crf, forget_images

from .timing import alternate, image_size, ratio_row

PRESETS = ('irn_label', 'psa', 'deeplab', 'seam_test')
NUM_IMAGES = 12
# Labels times pixels of the longer side squared: more take minutes each.
LARGEST = 9_000_000
# What a process does that refines its first image.
FIRST_IMAGE = '''
import time
import torch
from mmwsss.ops import dense_crf
probs, image = torch.rand(1, 2, 40, 50), torch.full((1, 3, 40, 50), 9)
start = time.perf_counter()
dense_crf(probs, image, backend={backend!r})
print(time.perf_counter() - start)
'''


def compare(args: argparse.Namespace) -> Iterator[dict]:
    """Rows by size, parameters and number of labels, 2 and those asked for.

    Args:
        args (argparse.Namespace): The options of ``benchmark.py``.

    Yields:
        dict: Of :func:`ratio_row`; ``agreement`` is the share of pixels with the
        same label in the worst image, ``difference`` the mean one of
        probabilities.
    """
    backends = [name for name in ('pydensecrf', 'torch', 'numba')
                if name == 'torch' or find_spec(name)]
    for size in args.sizes:
        scenes = list(load_scenes(args, size))
        for preset in PRESETS:
            for num_labels in sorted({2, *args.classes}):
                if num_labels * size**2 <= LARGEST:
                    yield from compare_backends(
                        args, scenes, preset, size, num_labels, backends)
        yield compare_thresholds(args, scenes, size, backends[-1])
        yield compare_threads(args, scenes, size, backends[-1])
    if 'numba' in backends:
        yield compare_first_images(args)


def load_scenes(args: argparse.Namespace, size: int) -> Iterator[tuple]:
    """Images of shape (H, W, 3) and masks of (H, W), the long side ``size``."""
    rng = np.random.default_rng(0)
    if args.images is None:
        shape = image_size(size)
        for _ in range(2):
            coarse = Image.fromarray(rng.integers(0, 256, (12, 16, 3), np.uint8))
            image = np.array(coarse.resize(shape[::-1], Image.BICUBIC), int)
            image = (image + rng.normal(0, 6, image.shape)).clip(0, 255)
            yield image.astype(np.uint8), image[..., 0] > 128
        return
    files = {osp.splitext(name)[0]: name for name in os.listdir(args.images)}
    names = sorted(files)
    if args.masks:
        names = [name for name in names
                 if osp.exists(osp.join(args.masks, f'{name}.png'))]
    for i in np.linspace(0, len(names) - 1, NUM_IMAGES).astype(int):
        image = Image.open(osp.join(args.images, files[names[i]])).convert('RGB')
        factor = size / max(image.size)
        shape = [round(side * factor) for side in image.size]
        mask = np.zeros(shape[::-1], np.uint8)
        if args.masks:
            mask = np.array(
                Image.open(osp.join(args.masks, f'{names[i]}.png')).resize(
                    shape, Image.NEAREST))
        yield np.array(image.resize(shape, Image.BILINEAR)), mask


def make_scores(mask: np.ndarray, num_labels: int, seed: int) -> Tensor:
    """Blurred masks, and blurred noise where the image has fewer classes."""
    rng = np.random.default_rng(seed)
    present = [label for label in np.unique(mask) if label not in (0, 255)]
    maps = np.zeros((num_labels, *mask.shape), np.float32)
    for i in range(1, num_labels):
        if i <= len(present):
            maps[i] = gaussian_filter((mask == present[i - 1]).astype(np.float32), 6)
        else:
            noise = gaussian_filter(rng.random(mask.shape, np.float32), 12)
            maps[i] = .35 * ((noise - noise.min()) / np.ptp(noise))**3
    maps[0] = (1 - maps[1:].max(0)).clip(.02)
    maps += .01
    return torch.from_numpy(maps / maps.sum(0))


def crf_call(backend: str, preset: str, scores: Tensor,
             image: np.ndarray) -> Callable[[], Tensor]:
    """A call that builds its lattice anew."""
    settings = dict(CRF_PRESETS[preset], num_iter=10, backend=backend)
    batch = torch.from_numpy(image).permute(2, 0, 1)[None]

    def call() -> Tensor:
        forget_images()
        return dense_crf(scores[None], batch, **settings)[0]

    return call


def compare_backends(args: argparse.Namespace, scenes: list, preset: str,
                     size: int, num_labels: int,
                     backends: list[str]) -> Iterator[dict]:
    """Each backend against the first, image by image."""
    total = {backend: [] for backend in backends}
    same, apart = {name: [] for name in backends}, {name: [] for name in backends}
    for i, (image, mask) in enumerate(scenes):
        scores = make_scores(mask, num_labels, i)
        seconds, results = alternate(
            {backend: crf_call(backend, preset, scores, image)
             for backend in backends}, args.runs, args.clock)
        first = results[backends[0]]
        for backend in backends:
            total[backend] += seconds[backend]
            labels = results[backend].argmax(0) == first.argmax(0)
            same[backend].append(labels.float().mean().item())
            apart[backend].append((results[backend] - first).abs().mean().item())
    for backend in backends[1:]:
        yield ratio_row('crf', preset, total, backends[0], backend, size, num_labels,
                        agreement=min(same[backend]),
                        difference=float(np.mean(apart[backend])))


def compare_thresholds(args: argparse.Namespace, scenes: list, size: int,
                       backend: str) -> dict:
    """Five scores of an image, each with a lattice of its own and with one."""
    names = 'five lattices', 'one lattice'
    total = {name: [] for name in names}
    for image, mask in scenes:
        batch = torch.from_numpy(image).permute(2, 0, 1)[None]
        soft = make_scores(mask, 2, 2)[1]
        scores = [torch.stack([torch.full_like(soft, level), soft])[None]
                  for level in (.1, .2, .3, .4, .5)]

        def sweep(share: bool, batch=batch, scores=scores) -> None:
            forget_images()
            for each in scores:
                if not share:
                    forget_images()
                dense_crf(each, batch, backend=backend, **CRF_PRESETS[PRESETS[0]])

        seconds, _ = alternate(
            {name: lambda share=share, sweep=sweep: sweep(share)
             for share, name in enumerate(names)}, args.runs, args.clock)
        for name in names:
            total[name] += seconds[name]
    return ratio_row('crf', f'five thresholds, {backend}', total, *names, size, 2)


def compare_threads(args: argparse.Namespace, scenes: list, size: int,
                    backend: str) -> dict:
    """All images on one thread, and on two; always in wall time."""
    calls = [crf_call(backend, PRESETS[0], make_scores(mask, 2, 3), image)
             for image, mask in scenes]
    names = 'one thread', 'two threads'
    with ThreadPoolExecutor(2) as pool:
        seconds, _ = alternate(
            {names[0]: lambda: [call() for call in calls],
             names[1]: lambda: list(pool.map(lambda call: call(), calls))},
            args.runs, 'wall')
    return ratio_row('crf', f'images at once, {backend}', seconds, *names, size, 2)


def compare_first_images(args: argparse.Namespace) -> dict:
    """The first image of a process, by torch and by kept code of numba."""
    seconds = {'torch': [], 'numba': []}
    # The first turn compiles.
    for turn in range(args.runs + 1):
        for backend, found in seconds.items():
            done = subprocess.run(
                [sys.executable, '-c', FIRST_IMAGE.format(backend=backend)],
                check=True, text=True, capture_output=True)
            if turn:
                found.append(float(done.stdout.split()[-1]))
    median = sorted(seconds['numba'])[len(seconds['numba']) // 2]
    return ratio_row('crf', 'first image of a process', seconds, 'torch', 'numba', 50,
                     2, first_seconds=median)

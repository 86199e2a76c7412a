# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""What the backends of the dense CRF cost, beside one another in one process.

    python tools/analysis_tools/benchmark_crf.py
    python tools/analysis_tools/benchmark_crf.py --photos JPEGImages \\
        --masks SegmentationClass --sizes 320 500 --out crf.json

The sides of a comparison take turns, photo by photo, on one thread, so that a busy
machine slows all alike: read the ratios. pydensecrf is the baseline where it is
installed, else torch. Also: five thresholds of one photo, which share its lattice;
two threads against one; and what a second process adds that finds compiled code.

Without --photos, smooth photos are generated; real ones have more detail, on which
every backend takes longer. With --masks the scores are blurred masks and some
noise, else noise only.
"""

import argparse
import os
import os.path as osp
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec

import numpy as np
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter
from torch import Tensor

from mmwsss.models.refiners import CRF_PRESETS
from mmwsss.ops.dense_crf import dense_crf, forget_photos
from mmwsss.utils import write_json

# The time of a process that refines one photo, without and with numba's kernels.
SECOND_PROCESS = '''
import time
import torch
from mmwsss.ops import dense_crf
probs, photo = torch.rand(1, 2, 40, 50), torch.full((1, 3, 40, 50), 9)
start = time.perf_counter()
dense_crf(probs, photo, backend={backend!r})
print(time.perf_counter() - start)
'''


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--photos', help='folder of photos')
    parser.add_argument('--masks', help='folder of their masks, PNGs of class ids')
    parser.add_argument(
        '--presets', nargs='+', choices=list(CRF_PRESETS),
        default=['irn_label', 'psa', 'deeplab', 'seam_test'])
    parser.add_argument(
        '--sizes', type=int, nargs='+', default=[160, 320, 500, 640],
        help='longer sides of the photos (default: 160 320 500 640)')
    parser.add_argument(
        '--classes', type=int, nargs='+', default=[2, 3, 5, 21, 81],
        help='labels, background included (default: 2 3 5 21 81)')
    parser.add_argument(
        '--num-images', type=int, default=12, help='photos (default: 12)')
    parser.add_argument(
        '--repeat', type=int, default=2, help='turns of each photo (default: 2)')
    parser.add_argument('--out', help='JSON file for the rows')
    return parser.parse_args(argv)


def load_scenes(args: argparse.Namespace, size: int) -> list[tuple]:
    """Photos of shape (H, W, 3) and masks of (H, W), the longer side ``size``."""
    rng = np.random.default_rng(0)
    if args.photos is None:
        shape = (round(size * .75), size)
        scenes = []
        for _ in range(args.num_images):
            coarse = Image.fromarray(rng.integers(0, 256, (12, 16, 3), np.uint8))
            photo = np.array(coarse.resize(shape[::-1], Image.BICUBIC), int)
            photo = (photo + rng.normal(0, 6, photo.shape)).clip(0, 255)
            scenes.append((photo.astype(np.uint8), photo[..., 0] > 128))
        return scenes
    # Spread over the folder, and only those with a mask.
    names = sorted(
        osp.splitext(name)[0]
        for name in os.listdir(args.masks or args.photos))
    files = {osp.splitext(name)[0]: name for name in os.listdir(args.photos)}
    names = [name for name in names if name in files]
    scenes = []
    for i in np.linspace(0, len(names) - 1, args.num_images).astype(int):
        photo = Image.open(osp.join(args.photos, files[names[i]])).convert('RGB')
        factor = size / max(photo.size)
        shape = [round(side * factor) for side in photo.size]
        mask = np.zeros(shape[::-1], np.uint8)
        if args.masks:
            mask = np.array(
                Image.open(osp.join(args.masks, f'{names[i]}.png')).resize(
                    shape, Image.NEAREST))
        scenes.append((np.array(photo.resize(shape, Image.BILINEAR)), mask))
    return scenes


def make_scores(mask: np.ndarray, num_labels: int, rng) -> Tensor:
    """Blurred masks, and blurred noise where the photo has fewer classes."""
    present = [label for label in np.unique(mask) if label not in (0, 255)]
    maps = np.zeros((num_labels, *mask.shape), np.float32)
    for i in range(1, num_labels):
        if i <= len(present):
            maps[i] = gaussian_filter(
                (mask == present[i - 1]).astype(np.float32), 6)
        else:
            noise = gaussian_filter(rng.random(mask.shape, np.float32), 12)
            maps[i] = .35 * ((noise - noise.min()) / np.ptp(noise))**3
    maps[0] = (1 - maps[1:].max(0)).clip(.02)
    maps += .01
    return torch.from_numpy(maps / maps.sum(0))


def seconds_of(function: Callable) -> float:
    """Of one call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def row(name: str, size: int, classes: int, baseline: str, ours: str,
        baseline_seconds: list[float], seconds: list[float],
        **more: float) -> dict:
    """A comparison: lowest, median and highest seconds, and medians' ratio."""
    both = [[min(each), float(np.median(each)), max(each)]
            for each in (baseline_seconds, seconds)]
    return dict(
        name=name, size=size, classes=classes, baseline=baseline, ours=ours,
        baseline_seconds=both[0], seconds=both[1],
        ratio=both[0][1] / both[1][1], **more)


def crf_call(backend: str, preset: str, scores: Tensor,
             photo: np.ndarray) -> Callable[[], Tensor]:
    """A call that builds its lattice anew."""
    settings = dict(CRF_PRESETS[preset], num_iter=10, backend=backend)
    image = torch.from_numpy(photo).permute(2, 0, 1)[None]

    def call() -> Tensor:
        forget_photos()
        return dense_crf(scores[None], image, **settings)[0]

    return call


def compare_backends(scenes: list[tuple], preset: str, size: int, classes: int,
                     backends: list[str], repeat: int) -> list[dict]:
    """Each backend against the first, photo by photo."""
    rng = np.random.default_rng(1)
    seconds = {backend: [] for backend in backends}
    same, apart = {}, {}
    for photo, mask in scenes:
        scores = make_scores(mask, classes, rng)
        calls = {backend: crf_call(backend, preset, scores, photo)
                 for backend in backends}
        results = {backend: call() for backend, call in calls.items()}
        for backend, result in results.items():
            first = results[backends[0]]
            same.setdefault(backend, []).append(
                (result.argmax(0) == first.argmax(0)).float().mean().item())
            apart.setdefault(backend, []).append(
                (result - first).abs().mean().item())
        for _ in range(repeat):
            for backend, call in calls.items():
                seconds[backend].append(seconds_of(call))
    return [
        row(preset, size, classes, backends[0], backend, seconds[backends[0]],
            seconds[backend], same_labels=min(same[backend]),
            mean_difference=float(np.mean(apart[backend])))
        for backend in backends[1:]
    ]


def compare_thresholds(scenes: list[tuple], preset: str, size: int, backend: str,
                       repeat: int) -> dict:
    """Five scores of a photo, each with a lattice of its own and with one."""
    image = [torch.from_numpy(photo).permute(2, 0, 1)[None] for photo, _ in scenes]
    seconds = [], []
    for guide, (_, mask) in zip(image, scenes, strict=True):
        soft = make_scores(mask, 2, np.random.default_rng(2))[1]
        scores = [torch.stack([torch.full_like(soft, level), soft])[None]
                  for level in (.1, .2, .3, .4, .5)]

        def sweep(share, guide=guide, scores=scores):
            forget_photos()
            for each in scores:
                if not share:
                    forget_photos()
                dense_crf(each, guide, backend=backend, **CRF_PRESETS[preset])

        for _ in range(repeat):
            for share in (0, 1):
                seconds[share].append(seconds_of(lambda: sweep(share)))  # noqa: B023
    return row('five thresholds', size, 2, f'{backend}, five lattices',
               f'{backend}, one lattice', *seconds)


def compare_threads(scenes: list[tuple], preset: str, size: int, backend: str,
                    repeat: int) -> dict:
    """All photos on one thread, and on two."""
    rng = np.random.default_rng(3)
    calls = [crf_call(backend, preset, make_scores(mask, 2, rng), photo)
             for photo, mask in scenes]
    seconds = [], []
    with ThreadPoolExecutor(2) as pool:
        for _ in range(max(repeat, 1)):
            seconds[0].append(seconds_of(lambda: [call() for call in calls]))
            seconds[1].append(
                seconds_of(lambda: list(pool.map(lambda call: call(), calls))))
    return row('two threads', size, 2, f'{backend}, one thread',
               f'{backend}, two threads', *seconds)


def compare_processes(repeat: int) -> dict:
    """The first photo of a process, by torch and by kept code of numba."""
    seconds = {'torch': [], 'numba': []}
    for turn in range(repeat + 1):
        for backend, found in seconds.items():
            done = subprocess.run(
                [sys.executable, '-c', SECOND_PROCESS.format(backend=backend)],
                check=True, text=True, capture_output=True)
            # The first one compiles.
            if turn:
                found.append(float(done.stdout.split()[-1]))
    return row('second process, first photo', 50, 2, 'torch', 'numba',
               seconds['torch'], seconds['numba'])


def compare(args: argparse.Namespace) -> list[dict]:
    """Run all comparisons.

    Args:
        args (argparse.Namespace): As from :func:`parse_args`.

    Returns:
        list[dict]: Rows with ``name``, ``size`` (the longer side), ``classes``,
        ``baseline`` and ``ours`` (what is compared), ``baseline_seconds`` and
        ``seconds`` (lowest, median, highest), ``ratio`` (of the medians) and, of
        backends, ``same_labels`` (the photo with the smallest share of pixels of
        the same label) and ``mean_difference`` (of probabilities).
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    backends = [name for name in ('pydensecrf', 'torch', 'numba')
                if name == 'torch' or find_spec(name)]
    rows = []
    for size in args.sizes:
        scenes = load_scenes(args, size)
        for preset in args.presets:
            for classes in args.classes:
                rows += compare_backends(
                    scenes, preset, size, classes, backends, args.repeat)
        for function in (compare_thresholds, compare_threads):
            rows.append(function(
                scenes, args.presets[0], size, backends[-1], args.repeat))
    if 'numba' in backends:
        rows.append(compare_processes(args.repeat))
    torch.set_num_threads(threads)
    return rows


def print_table(rows: list[dict]) -> None:
    """One line a comparison."""
    print('| what | size | classes | baseline, ms | ours, ms | ratio | same labels |')
    print('| --- | --- | --- | --- | --- | --- | --- |')
    for each in rows:
        cells = []
        for side in ('baseline', 'ours'):
            key = 'seconds' if side == 'ours' else 'baseline_seconds'
            low, median, high = (1e3 * value for value in each[key])
            cells.append(f'{each[side]} {median:.0f} ({low:.0f} to {high:.0f})')
        same = f'{each["same_labels"]:.4%}' if 'same_labels' in each else ''
        print(f'| {each["name"]} | {each["size"]} | {each["classes"]} | '
              f'{cells[0]} | {cells[1]} | {each["ratio"]:.2f} | {same} |')


def main() -> None:
    """Measure, print the table and perhaps write the rows."""
    args = parse_args()
    rows = compare(args)
    print_table(rows)
    if args.out:
        write_json(args.out, rows)


if __name__ == '__main__':
    main()

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""How much faster dense CRF gets in worker processes, in one run.

    python tools/analysis_tools/benchmark_crf.py --jobs 1 2 4

Random photos and seeds of VOC's size pass the label CRF in this process and
in worker processes, in turns, so that a busy machine slows all alike. Prints
photos a second, the ratio to this process, and checks that the pseudo labels
are the same bytes.
"""

import argparse
import os
import os.path as osp
import tempfile
import time

import numpy as np
from PIL import Image

from mmwsss.datasets.image_io import voc_palette
from mmwsss.evaluation.writers.pseudo_label_writer import pseudo_label_setup
from mmwsss.models.refiners import CRF_PRESETS
from mmwsss.structures import Seed
from mmwsss.structures.seed import strided_size
from mmwsss.utils.parallel import WorkerPool


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        '--jobs', type=int, nargs='+', default=[os.cpu_count()],
        help='numbers of workers to compare (default: all cores)')
    parser.add_argument(
        '--preset', choices=list(CRF_PRESETS), default='irn_label')
    parser.add_argument(
        '--num-images', type=int, default=24, help='photos in each turn')
    parser.add_argument(
        '--size', type=int, nargs=2, default=(375, 500),
        help='height and width (default: 375 500)')
    parser.add_argument(
        '--classes', type=int, default=2, help='classes of each photo')
    parser.add_argument(
        '--repeat', type=int, default=3, help='turns; the best one counts')
    return parser.parse_args()


def make_inputs(folder: str, args: argparse.Namespace) -> list[tuple]:
    """Write smooth random photos and seeds; return (seed, photo) files."""
    rng = np.random.default_rng(0)
    size = tuple(args.size)
    inputs = []
    for i in range(args.num_images):
        photo = osp.join(folder, f'{i}.png')
        coarse = Image.fromarray(rng.integers(0, 256, (12, 16, 3), np.uint8))
        coarse.resize(size[::-1]).save(photo)
        seed = osp.join(folder, f'{i}.npz')
        Seed(
            rng.random((args.classes, *strided_size(size))),
            range(1, args.classes + 1), size).save(seed)
        inputs.append((seed, photo))
    return inputs


def main() -> None:
    """Measure."""
    args = parse_args()
    rule = dict(
        type='ThresholdLabel', threshold=0.5,
        refiner=dict(type='DenseCRF', preset=args.preset))
    with tempfile.TemporaryDirectory() as folder:
        inputs = make_inputs(folder, args)
        outputs, pools = {}, {}
        for jobs in dict.fromkeys([0, *args.jobs]):
            pools[jobs] = WorkerPool(
                jobs, pseudo_label_setup, rule, voc_palette(21))
            outputs[jobs] = osp.join(folder, str(jobs))
            # Workers start, and files enter the system's cache.
            warm_up = inputs * (1 + jobs // len(inputs))
            list(pools[jobs].map(
                (*pair, osp.join(outputs[jobs], f'{i}.png'))
                for i, pair in enumerate(warm_up)))
        seconds = {jobs: [] for jobs in pools}
        for _ in range(args.repeat):
            for jobs, pool in pools.items():
                tasks = [(*pair, osp.join(outputs[jobs], f'{i}.png'))
                         for i, pair in enumerate(inputs)]
                start = time.perf_counter()
                list(pool.map(tasks))
                seconds[jobs].append(time.perf_counter() - start)
        for pool in pools.values():
            pool.close()
        check_equal(outputs, args.num_images)
    serial = min(seconds[0])
    for jobs, turns in seconds.items():
        name = f'{jobs} workers' if jobs else 'this process'
        print(f'{name:>12}: {args.num_images / min(turns):6.2f} photos/s, '
              f'ratio {serial / min(turns):.2f}')


def check_equal(outputs: dict[int, str], num_images: int) -> None:
    """Compare the pseudo labels of workers with those of this process."""
    for i in range(num_images):
        contents = set()
        for folder in outputs.values():
            with open(osp.join(folder, f'{i}.png'), 'rb') as file:
                contents.add(file.read())
        if len(contents) > 1:
            raise RuntimeError(f'pseudo label {i} differs between processes')


if __name__ == '__main__':
    main()

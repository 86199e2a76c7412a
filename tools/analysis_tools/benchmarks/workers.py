# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Pseudo labels by a dense CRF: in this process, in two worker processes."""

import os.path as osp
import tempfile
from collections.abc import Iterator
from functools import partial

import numpy as np
from PIL import Image

from mmwsss.datasets.image_io import voc_palette
from mmwsss.evaluation.writers.pseudo_label_writer import pseudo_label_setup
from mmwsss.structures import Seed
from mmwsss.structures.seed import strided_size
from mmwsss.utils.parallel import WorkerPool

from .timing import alternate, image_size, ratio_row

IMAGES, PRESENT, WORKERS = 8, 2, 2


def compare(args) -> Iterator[dict]:
    """Files in, files out, as tools/refine_seeds.py works."""
    rule = dict(type='ThresholdLabel', bg_thr=0.5,
                refiner=dict(type='DenseCRF', preset='irn_label'))
    setup = pseudo_label_setup, rule, voc_palette(21)
    with WorkerPool(0, *setup) as here, WorkerPool(WORKERS, *setup) as there:
        for size in args.sizes:
            with tempfile.TemporaryDirectory() as folder:
                files = write_inputs(folder, image_size(size))
                # Processor time would not count the workers'.
                seconds, labels = alternate({
                    'this process': partial(refine, here, folder, files),
                    f'{WORKERS} workers': partial(refine, there, folder, files),
                }, args.runs)
            yield ratio_row(
                'workers', f'{IMAGES} images', seconds, *seconds, size=size,
                equal=str(len(set(map(tuple, labels.values()))) == 1).lower())


def write_inputs(folder: str, size: tuple[int, int]) -> list[tuple]:
    """Write smooth random images and seeds; return (seed, image) files."""
    rng = np.random.default_rng(0)
    files = []
    for i in range(IMAGES):
        image, seed = (osp.join(folder, f'{i}{end}') for end in ('.jpg', '.npz'))
        coarse = Image.fromarray(rng.integers(0, 256, (12, 16, 3), np.uint8))
        coarse.resize(size[::-1]).save(image)
        Seed(rng.random((PRESENT, *strided_size(size))), range(1, PRESENT + 1),
             size).save(seed)
        files.append((seed, image))
    return files


def refine(pool: WorkerPool, folder: str, files: list[tuple]) -> list[bytes]:
    """The files of the pseudo labels."""
    paths = [osp.join(folder, f'{i}.png') for i in range(len(files))]
    list(pool.map((*pair, path) for pair, path in zip(files, paths, strict=True)))
    contents = []
    for path in paths:
        with open(path, 'rb') as file:
            contents.append(file.read())
    return contents

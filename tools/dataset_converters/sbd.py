# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Turn the .mat files of the Semantic Boundaries Dataset into PNGs.

SBD (http://home.bharathh.info/pubs/codes/SBD) annotates 11,355 images of
PASCAL VOC 2011. From DATASET, the folder `benchmark_RELEASE/dataset` with
`img`, `cls`, `train.txt` and `val.txt`, this writes into OUT:

    masks/<id>.png                  class ids, in VOC's colours, no 255
    boundaries/<id>.png             1 where any class has a boundary, else 0
    ImageSets/Segmentation/<list>.txt

What is already written is skipped, so a killed run goes on. Note that SBD's
train and val both overlap VOC's train_aug: many images of SBD val belong to
those that weakly supervised methods train on, without their masks.

Example:
    python tools/dataset_converters/sbd.py data/sbd/dataset --out data/sbd
"""

if __name__ == '__main__':
    from mmwsss.ctrl_c import end_at_ctrl_c
    end_at_ctrl_c()

import argparse
import os
import os.path as osp
from collections.abc import Callable

import numpy as np

from mmwsss.utils import read_id_list, write_lines
from mmwsss.utils.arguments import ToolParser
from mmwsss.utils.entry_point import run_tool
from mmwsss.utils.parallel import WorkerPool, track_progress

NUM_CLASSES = 20


def read_annotation(path: str) -> tuple[np.ndarray, np.ndarray]:
    """Read one file of ``cls``.

    Args:
        path (str): A .mat file.

    Returns:
        tuple[np.ndarray, np.ndarray]: Class ids of shape (H, W), uint8, and the
        union of the boundaries of all classes, bool.

    Raises:
        ValueError: Naming the file, if it is no annotation of SBD.
    """
    from scipy.io import loadmat
    try:
        truth = loadmat(path)['GTcls'][0, 0]
        mask = truth['Segmentation']
        cells = truth['Boundaries'].ravel()
        is_mask = mask.ndim == 2 and mask.size and mask.dtype.kind in 'biu'
        if not is_mask or mask.min() < 0 or mask.max() > NUM_CLASSES:
            raise ValueError(f'expected class ids up to {NUM_CLASSES} of shape '
                             f'(H, W), got {mask.dtype} of shape {mask.shape}')
        boundary = np.zeros(mask.shape, dtype=bool)
        for cell in cells:
            # Before it is unpacked; absent classes have an empty matrix of the
            # same size.
            if cell.shape != mask.shape:
                raise ValueError(f'a boundary of shape {cell.shape} in an image of '
                                 f'shape {mask.shape}')
            dense = cell.toarray() if hasattr(cell, 'toarray') else cell
            boundary |= dense.astype(bool)
    # scipy raises many kinds of errors for damaged files.
    except Exception as error:
        raise ValueError(
            f'{path} is not an annotation of SBD: {error!r}') from error
    return mask.astype(np.uint8), boundary


def _setup() -> Callable:
    from mmwsss.datasets.image_io import voc_palette, write_mask
    palette = voc_palette(NUM_CLASSES + 1)

    def work(task: tuple[str, str, str]) -> None:
        source, mask_path, boundary_path = task
        mask, boundary = read_annotation(source)
        write_mask(mask_path, mask, palette)
        write_mask(boundary_path, boundary, [(0, 0, 0), (255, 255, 255)])

    return work


def parse_args() -> argparse.Namespace:
    parser = ToolParser(__doc__)
    parser.add_argument('dataset', help='folder benchmark_RELEASE/dataset')
    parser.add_argument('--out', required=True, help='folder to write into')
    parser.add_argument(
        '--jobs', type=int, default=os.cpu_count(),
        help='worker processes; 0 works in this one (default: all cores)')
    return parser.parse_args()


def main(args: argparse.Namespace) -> None:
    """Convert a copy of SBD.

    Raises:
        FileNotFoundError: If a list or an annotation is missing.
        ValueError: Naming the file, if one is damaged.
    """
    tasks = []
    for name in ('train', 'val'):
        ids = read_id_list(osp.join(args.dataset, f'{name}.txt'))
        for image_id in ids:
            source = osp.join(args.dataset, 'cls', f'{image_id}.mat')
            if not osp.isfile(source):
                raise FileNotFoundError(
                    f'annotation of image {image_id!r} does not exist: '
                    f'{source}')
            targets = tuple(
                osp.join(args.out, folder, f'{image_id}.png')
                for folder in ('masks', 'boundaries'))
            if not all(map(osp.isfile, targets)):
                tasks.append((source, *targets))
        write_lines(
            osp.join(args.out, 'ImageSets', 'Segmentation', f'{name}.txt'), ids)
    with WorkerPool(min(args.jobs, len(tasks)), _setup) as pool:
        for _ in track_progress(pool.map(tasks), len(tasks)):
            pass


if __name__ == '__main__':
    run_tool(parse_args, main)

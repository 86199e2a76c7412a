# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""``mmwsss preview``: pseudo labels of some images at another threshold."""

import argparse
import os.path as osp

from mmwsss.utils import read_json

from .tools import call_tool, option_words


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``mmwsss preview``."""
    parser.add_argument('work_dir', help='folder of a run')
    parser.add_argument('--threshold', type=float, required=True,
                        help='score of the background, from 0 to 1')
    parser.add_argument('--refiner', help='how seeds become labels, as in '
                        'tools/refine_seeds.py (default: that of the run)')
    parser.add_argument('--num-images', type=int, default=8, help='default: 8')
    parser.add_argument('--out', metavar='PNG', help='default: preview_THRESHOLD.png '
                        'in the folder of the run')


def preview(work_dir: str,
            threshold: float,
            refiner: str | None = None,
            num_images: int = 8,
            out: str | None = None) -> str:
    """Draw pseudo labels of some images from the seeds of a run.

    Nothing is trained. A run takes a threshold by
    ``--cfg-options steps.pseudo_labels.bg_thr=0.3``.

    Args:
        work_dir (str): The folder of a run.
        threshold (float): The score of the background.
        refiner (str, optional): How seeds become labels. Defaults to that of the
            run.
        num_images (int): How many images. Defaults to 8.
        out (str, optional): The PNG to write. Defaults to
            ``preview_<threshold>.png`` in the folder of the run.

    Returns:
        str: The PNG.

    Raises:
        FileNotFoundError: If the run has no seeds yet.
        ToolFailed: If the threshold or the refiner is none.
    """
    config = osp.join(work_dir, 'configs', 'choose.py')
    chosen = osp.join(work_dir, 'choose')
    if not osp.isfile(config) or not osp.isdir(osp.join(chosen, 'seeds')):
        raise FileNotFoundError(
            f'{work_dir} holds no seeds for which a threshold was chosen: let mmwsss '
            'run come that far; clip and single_stage choose none')
    refiner = refiner or read_json(
        osp.join(chosen, 'metrics.json'))['chosen/refiner']
    out = out or osp.join(work_dir, f'preview_{threshold:g}.png')
    call_tool('tools/preview_labels.py', config, *option_words(
        seeds=osp.join(chosen, 'seeds'), out=out, bg_thr=f'{threshold:g}',
        refiner=refiner, num_images=num_images))
    return out

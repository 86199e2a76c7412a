# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""``mmwsss predict``: masks of any images by the model of a run."""

import argparse
import os.path as osp

from mmwsss.utils import follow_checkpoint
from mmwsss.utils.renamed import renamed_arguments

from .tools import call_tool

STEP = 'train_segmentor'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``mmwsss predict``."""
    parser.add_argument('work_dir', help='folder of a run')
    parser.add_argument('images', help='a photo, a folder or a quoted pattern')
    parser.add_argument('--out', help='where to write (default: predictions in the '
                        'folder of the run)')


@renamed_arguments(photos='images')
def predict(work_dir: str, images: str, out: str | None = None) -> str:
    """Write masks and overlays of images.

    Args:
        work_dir (str): The folder of a run.
        images (str): An image, a folder or a pattern.
        out (str, optional): Where to write. Defaults to ``predictions`` in the
            folder of the run.

    Returns:
        str: The folder that was written into.

    Raises:
        FileNotFoundError: If the run has no model yet.
        ToolFailed: If an image cannot be read.
    """
    config, checkpoint = find_model(work_dir)
    out = out or osp.join(work_dir, 'predictions')
    call_tool('demo/image_demo.py', images, config, checkpoint, '--out-dir', out)
    return out


def find_model(work_dir: str) -> tuple[str, str]:
    """Config and checkpoint of the segmentation model of a run.

    Raises:
        FileNotFoundError: If the run has no model yet.
    """
    config = osp.join(work_dir, 'configs', f'{STEP}.py')
    record = osp.join(work_dir, STEP, 'last_checkpoint')
    for path in (config, record):
        if not osp.isfile(path):
            raise FileNotFoundError(f'{work_dir} holds no trained model: there is no '
                                    f'{path}')
    return config, follow_checkpoint(record)

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""``mmwsss export``: masks or the model of a run for other programs."""

import argparse
import os.path as osp

from .predict import find_model
from .tools import call_tool, option_words

FORMATS = ('coco', 'cvat', 'label-studio', 'voc', 'yolo', 'onnx')
MASKS = dict(labels='pseudo_labels', predictions=osp.join('predict', 'masks'))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``mmwsss export``."""
    parser.add_argument('work_dir', help='folder of a run')
    parser.add_argument('--format', required=True, choices=FORMATS,
                        help='of annotations; or onnx, the final model')
    parser.add_argument('--masks', choices=MASKS, default='predictions',
                        help="the final model's masks of the photos, or the pseudo "
                        'labels that it learnt from (default: predictions)')
    parser.add_argument('--out', help='folder, or file of a model (default: '
                        'export_FORMAT, or model.onnx, in the folder of the run)')


def export(work_dir: str,
           format: str,
           masks: str = 'predictions',
           out: str | None = None) -> str:
    """Write masks of a run's images as annotations, or its model as ONNX.

    Images and masks are those of the run: images that it reduced have their reduced
    size. ``tools/dataset_converters/import_masks.py`` takes corrected ones back.

    Args:
        work_dir (str): The folder of a run.
        format (str): One of ``FORMATS``.
        masks (str): ``'predictions'`` of the final model or the pseudo ``'labels'``
            that it learnt from. Defaults to 'predictions'.
        out (str, optional): Where to write. Defaults to ``export_<format>``, or
            ``model.onnx``, in the folder of the run.

    Returns:
        str: What was written.

    Raises:
        FileNotFoundError: If the run has not come that far.
        ToolFailed: If the masks cannot be read, or a package is missing.
    """
    if format == 'onnx':
        out = out or osp.join(work_dir, 'model.onnx')
        call_tool('tools/model_converters/mmwsss2onnx.py', *find_model(work_dir), out)
        return out
    folder = osp.join(work_dir, MASKS[masks])
    data = osp.join(work_dir, 'data')
    for path in (folder, data):
        if not osp.isdir(path):
            raise FileNotFoundError(f'{work_dir} holds no {masks} of its photos: there '
                                    f'is no {path}')
    out = out or osp.join(work_dir, f'export_{format}')
    call_tool('tools/dataset_converters/export_masks.py', folder, *option_words(
        images=osp.join(data, 'photos'), classes=osp.join(data, 'classes.txt'),
        tags=osp.join(data, 'tags.csv'), format=format, out=out))
    return out

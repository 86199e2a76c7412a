# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Convert checkpoints of SIPE to mmwsss.

Takes those of https://github.com/chenqi1126/SIPE on ResNet-50, for VOC, COCO or other
classes, as they are (``{'net': ...}``) or as a state dict alone, for
``sipe_r50_*.py``. They hold every tensor up to four times, under the names of the
network, of its stages and of lists of layers; copies must be equal. Anything missing,
left over or of another shape than the network here is an error.

Its boundary network is IRN's: tools/model_converters/irn2mmwsss.py.

Example:
    PYTHONPATH=. python projects/sipe/convert.py final.pth sipe_r50_voc.pth
"""

from __future__ import annotations

import argparse
import re
import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

from mmwsss.utils import project_path
from mmwsss.utils.entry_point import run_tool

if TYPE_CHECKING:
    from torch import Tensor

IN_CHANNELS = [256, 512, 1024, 2048]
STEM = {'0': 'conv1', '1': 'bn1'}


def conversion() -> ModuleType:
    """What the converters in tools/ share."""
    folder = project_path('tools', 'model_converters')
    if folder not in sys.path:
        sys.path.append(folder)
    return import_module('conversion')


def rename(key: str) -> str | None:
    """Our name of a tensor, whichever of its names is given; None if unknown."""
    key = re.sub(r'^backbone\.(\d)\.', r'stage\1.', key)
    key = re.sub(r'^newly_added\.0\.', 'classifier.', key)
    key = re.sub(r'^newly_added\.(\d)\.', r'side\1.', key)
    key = re.sub(r'^stage([1-4])\.0\.', r'resnet50.layer\1.', key)
    key = re.sub(r'^stage0\.([01])\.',
                 lambda match: f'resnet50.{STEM[match[1]]}.', key)
    if key.startswith('resnet50.'):
        return key.replace('resnet50.', 'backbone.', 1)
    if key == 'classifier.weight':
        return 'decode_head.classifier.weight'
    match = re.fullmatch(r'side([1-4])\.weight', key)
    if match:
        return f'decode_head.hierarchy.convs.{int(match[1]) - 1}.weight'
    return None


def model_shapes(num_classes: int) -> dict[str, tuple[int, ...]]:
    """The shape of each tensor of the model here."""
    import torch
    from mmseg.registry import MODELS

    import mmwsss  # noqa: F401
    import projects.sipe  # noqa: F401
    with torch.device('meta'):
        parts = dict(
            backbone=MODELS.build(dict(type='ResNet', depth=50)),
            decode_head=MODELS.build(dict(
                type='SIPEHead', in_channels=IN_CHANNELS, num_classes=num_classes)))
    return {
        f'{part}.{key}': tuple(value.shape) for part, module in parts.items()
        for key, value in module.state_dict().items()
    }


def convert(state_dict: dict[str, Tensor]) -> dict[str, Tensor]:
    """Convert a state dict.

    Args:
        state_dict (dict[str, Tensor]): With or without the prefix of DataParallel.

    Returns:
        dict[str, Tensor]: Of the whole model here.

    Raises:
        ValueError: Naming the keys, if some are unknown, missing or of another
            shape, or copies differ.
    """
    import torch
    state_dict = {
        key.removeprefix('module.'): value for key, value in state_dict.items()
    }
    if 'classifier.weight' not in state_dict:
        raise ValueError('no checkpoint of SIPE: classifier.weight is missing')
    converted, unknown, unequal = {}, [], []
    for key, value in state_dict.items():
        name = rename(key)
        if name is None:
            unknown.append(key)
        elif not torch.equal(converted.setdefault(name, value), value):
            unequal.append(key)
    wanted = model_shapes(len(state_dict['classifier.weight']) + 1)
    wrong = sorted(key for key in wanted.keys() & converted.keys()
                   if wanted[key] != tuple(converted[key].shape))
    for words, keys in (('unknown keys', unknown),
                        ('copies that differ:', unequal),
                        ('no source for', sorted(wanted.keys() - converted.keys())),
                        ('no use for', sorted(converted.keys() - wanted.keys())),
                        ('another shape of', wrong)):
        if keys:
            raise ValueError(f'{words} {keys[:5]} ({len(keys)})')
    return converted


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    return conversion().file_parser(__doc__).parse_args()


def main(args: argparse.Namespace) -> None:
    """Convert a file."""
    files = conversion()
    files.write_checkpoint(
        args.dst, files.convert_file(args.src, convert, keys=('net', )))


if __name__ == '__main__':
    run_tool(parse_args, main)

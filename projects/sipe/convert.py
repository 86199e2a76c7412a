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

if __name__ == '__main__':
    from mmwsss.ctrl_c import end_at_ctrl_c
    end_at_ctrl_c()

import argparse
import re
from typing import TYPE_CHECKING

from mmwsss.utils.conversion import (
    check_model,
    convert_file,
    file_parser,
    write_checkpoint,
)
from mmwsss.utils.entry_point import run_tool

if TYPE_CHECKING:
    from torch import Tensor

IN_CHANNELS = [256, 512, 1024, 2048]
STEM = {'0': 'conv1', '1': 'bn1'}


def rename(key: str) -> str:
    """Our name of a tensor, whichever of its names is given; as it is if unknown."""
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
    return re.sub(
        r'^side([1-4])\.weight$',
        lambda match: f'decode_head.hierarchy.convs.{int(match[1]) - 1}.weight', key)


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

    import mmwsss  # noqa: F401
    import projects.sipe  # noqa: F401
    state_dict = {
        key.removeprefix('module.'): value for key, value in state_dict.items()
    }
    if 'classifier.weight' not in state_dict:
        raise ValueError('no checkpoint of SIPE: classifier.weight is missing')
    converted = {}
    for key, value in state_dict.items():
        if not torch.equal(converted.setdefault(rename(key), value), value):
            raise ValueError(f'{key} differs from a copy of it')
    check_model(converted, dict(
        backbone=dict(type='ResNet', depth=50),
        decode_head=dict(
            type='SIPEHead', in_channels=IN_CHANNELS,
            num_classes=len(state_dict['classifier.weight']) + 1)))
    return converted


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    return file_parser(__doc__).parse_args()


def main(args: argparse.Namespace) -> None:
    """Convert a file."""
    write_checkpoint(args.dst, convert_file(args.src, convert, keys=('net', )))


if __name__ == '__main__':
    run_tool(parse_args, main)

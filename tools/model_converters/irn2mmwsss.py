# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Convert checkpoints of IRN's code to mmwsss.

- its CAM network (``classifier``) for configs/cam/cam_r50_voc.py;
- its boundary and displacement network (``fc_edge``, ``fc_dp``) for
  configs/irn/irn_r50_voc.py.

Its state dicts hold every tensor up to three times, under the names of the
backbone, of its stages and of lists of layers; one copy is taken. Constant
tables of pixel pairs are left out.

Example:
    python tools/model_converters/irn2mmwsss.py sess/res50_irn.pth irn_r50_voc.pth
"""

from __future__ import annotations

if __name__ == '__main__':
    from mmwsss.ctrl_c import end_at_ctrl_c
    end_at_ctrl_c()

import argparse
import re
from typing import TYPE_CHECKING

from mmwsss.utils.conversion import convert_file, file_parser, write_checkpoint
from mmwsss.utils.entry_point import run_tool

if TYPE_CHECKING:
    from torch import Tensor

# Other names of tensors that are there already, and constants.
DUPLICATES = re.compile(
    r'(stage\d|backbone|newly_added|edge_layers|dp_layers)\.|fc_dp7\.4\.|'
    r'path_indices\d+$|disp_target$|resnet50\.fc\.')
LEAVES = {'0': 'conv', '1': 'gn'}


def rename(key: str) -> str | None:
    """Our name of a tensor, None for one to leave out.

    Raises:
        ValueError: If the key is unknown.
    """
    if DUPLICATES.match(key):
        return None
    if key.startswith('resnet50.'):
        return key.replace('resnet50.', 'backbone.', 1)
    if key == 'classifier.weight':
        return 'decode_head.classifier.weight'
    if key == 'mean_shift.running_mean':
        return 'auxiliary_head.running_mean'
    match = re.fullmatch(r'fc_edge6\.(\w+)', key)
    if match:
        return f'decode_head.fuse.{match.group(1)}'
    if key == 'fc_dp7.3.weight':
        return 'auxiliary_head.field.weight'
    match = re.fullmatch(r'fc_(edge|dp)(\d)\.([01])\.(\w+)', key)
    if not match:
        raise ValueError(f'unexpected key {key!r}')
    branch, number, layer, leaf = match.groups()
    head = 'decode_head' if branch == 'edge' else 'auxiliary_head'
    part = {'dp6': 'join', 'dp7': 'fuse'}.get(branch + number,
                                             f'reduce.{int(number) - 1}')
    return f'{head}.{part}.{LEAVES[layer]}.{leaf}'


def convert(state_dict: dict[str, Tensor]) -> dict[str, Tensor]:
    """Convert a state dict.

    Args:
        state_dict (dict[str, Tensor]): Of IRN's CAM or boundary network, with
            or without the prefix of DataParallel.

    Returns:
        dict[str, Tensor]: Of a :class:`WeakSegmentor`.

    Raises:
        ValueError: If a key is unknown, or it is neither of the two.
    """
    converted = {}
    for key, value in state_dict.items():
        name = rename(key.removeprefix('module.'))
        if name is not None:
            converted[name] = value
    if not any(key.startswith('decode_head.') for key in converted):
        raise ValueError('neither a CAM nor a boundary network of IRN: it has '
                         f'keys like {list(state_dict)[:3]}')
    return converted


def parse_args() -> argparse.Namespace:
    return file_parser(__doc__).parse_args()


def main(args: argparse.Namespace) -> None:
    write_checkpoint(args.dst, convert_file(args.src, convert))


if __name__ == '__main__':
    run_tool(parse_args, main)

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Convert checkpoints of 1-stage-wseg to mmwsss.

Takes ``model_enc_*.pth`` of https://github.com/visinf/1-stage-wseg on any of
its backbones (WideResNet-38, VGG-16, ResNet-50 and 101) and writes a checkpoint
of ``configs/single_stage``. PAMR's constant kernels are left out.

Example:
    python tools/model_converters/single_stage2mmwsss.py \\
        model_enc_e020Xs0.928.pth single_stage_wide-r38_voc.pth
"""

from __future__ import annotations

if __name__ == '__main__':
    from mmwsss.ctrl_c import end_at_ctrl_c
    end_at_ctrl_c()

import argparse
import re
from typing import TYPE_CHECKING

from mmwsss.utils.conversion import (
    convert_file,
    file_parser,
    trunk_module,
    write_checkpoint,
)
from mmwsss.utils.entry_point import run_tool

if TYPE_CHECKING:
    from torch import Tensor

BLOCKS = {
    'aspp.global_avg_pool.1': 'aspp.image_pool.1.conv',
    'aspp.global_avg_pool.2': 'aspp.image_pool.1.bn',
    'aspp.conv1': 'aspp.project.conv',
    'aspp.bn1': 'aspp.project.bn',
    'shallow_mask.fc_deep.0': 'enrich.deep.conv',
    'shallow_mask.fc_deep.1': 'enrich.deep.bn',
    'shallow_mask.fc_skip.0': 'enrich.shallow',
    'shallow_mask.fc_skip.1': 'enrich.norm',
    'shallow_mask.fc_cls.0': 'enrich.out.conv',
    'shallow_mask.fc_cls.1': 'enrich.out.bn',
    'fc8_skip.0': 'skip.conv',
    'fc8_skip.1': 'skip.bn',
    'fc8_x.0': 'fuse.conv',
    'fc8_x.1': 'fuse.bn',
    'last_conv.0': 'decoder.0.conv',
    'last_conv.1': 'decoder.0.bn',
    'last_conv.4': 'decoder.2.conv',
    'last_conv.5': 'decoder.2.bn',
    'last_conv.8': 'classifier',
}
for _i in range(4):
    BLOCKS[f'aspp.aspp{_i + 1}.atrous_conv'] = f'aspp.branches.{_i}.conv'
    BLOCKS[f'aspp.aspp{_i + 1}.bn'] = f'aspp.branches.{_i}.bn'


def convert(state_dict: dict[str, Tensor]) -> dict[str, Tensor]:
    """Convert a state dict.

    Args:
        state_dict (dict[str, Tensor]): In the official layout, with or without
            the prefix of DataParallel.

    Returns:
        dict[str, Tensor]: Of a whole model.

    Raises:
        ValueError: If a key is unknown or the decoder is missing.
    """
    converted = {}
    for key, value in state_dict.items():
        module, leaf = key.removeprefix('module.').rpartition('.')[::2]
        if module.startswith('_aff.'):
            continue
        if module in BLOCKS:
            name = f'decode_head.{BLOCKS[module]}'
        elif re.match(r'(conv1|bn1|layer\d\.\d+\.\w+)', module) and not (
                trunk_module(module)):
            name = f'backbone.{module}'
        elif trunk_module(module):
            name = f'backbone.{trunk_module(module)}'
        else:
            raise ValueError(f'unexpected key {key!r}')
        converted[f'{name}.{leaf}'] = value
    missing = set(BLOCKS.values()) - {
        key.removeprefix('decode_head.').rpartition('.')[0]
        for key in converted
    }
    if missing:
        raise ValueError('no checkpoint of 1-stage-wseg\'s "ae" model: nothing '
                         f'for {sorted(missing)}')
    return converted


def parse_args() -> argparse.Namespace:
    return file_parser(__doc__).parse_args()


def main(args: argparse.Namespace) -> None:
    state_dict = convert_file(args.src, convert)
    write_checkpoint(args.dst, state_dict, stage='self_train')


if __name__ == '__main__':
    run_tool(parse_args, main)

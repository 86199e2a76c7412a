# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Convert DeepLab checkpoints of other code bases to mmwsss and back.

The layout of the source is recognised by its keys:

- ``deeplab-pytorch``: DeepLab-v2 on a caffe-style ResNet
  (``[base.]layer1.conv1.conv``, ``aspp.c0``), and its "v1" container with the
  COCO initialisation, whose 1x1 classifier ``fc`` fits no head of ours and is
  left out;
- ``codebase``: DeepLab-v1/v2 on a deep-stem ResNet (``backbone.conv1.0``,
  ``conv_fov``, ``aspp.branch1``, ``cls_conv``);
- ``resnets``: that bare ResNet as trained on ImageNet (``conv1.0``), for the
  ``init_cfg`` of a ``ResNetV1c(stem_channels=128)``;
- ``mmwsss``: ours, which ``--to`` turns into one of the others.

Example:
    python tools/model_converters/deeplab_pytorch2mmwsss.py \\
        deeplabv1_resnet101-coco.pth pretrain/deeplab_r101_coco.pth
"""

from __future__ import annotations

if __name__ == '__main__':
    from mmwsss.ctrl_c import end_at_ctrl_c
    end_at_ctrl_c()

import argparse
from typing import TYPE_CHECKING

from mmwsss.utils.conversion import (
    convert_file,
    file_parser,
    write_checkpoint,
    write_file,
)
from mmwsss.utils.entry_point import run_tool

if TYPE_CHECKING:
    from torch import Tensor

# More blocks than any ResNet has in a stage.
MAX_BLOCKS = 40
# Classifiers of pretraining, which no head of ours takes.
LEFT_OUT = ('fc.weight', 'fc.bias')


def deeplab_pytorch_modules() -> dict[str, str]:
    """Module names of deeplab-pytorch -> ours."""
    names = {
        'layer1.conv1.conv': 'backbone.conv1',
        'layer1.conv1.bn': 'backbone.bn1',
    }
    for stage in range(1, 5):
        for block in range(MAX_BLOCKS):
            theirs = f'layer{stage + 1}.block{block + 1}'
            ours = f'backbone.layer{stage}.{block}'
            for i, part in enumerate(('reduce', 'conv3x3', 'increase'), 1):
                names[f'{theirs}.{part}.conv'] = f'{ours}.conv{i}'
                names[f'{theirs}.{part}.bn'] = f'{ours}.bn{i}'
            names[f'{theirs}.shortcut.conv'] = f'{ours}.downsample.0'
            names[f'{theirs}.shortcut.bn'] = f'{ours}.downsample.1'
    for branch in range(4):
        names[f'aspp.c{branch}'] = f'decode_head.convs.{branch}'
    return names


def resnets_modules() -> dict[str, str]:
    """Module names of the deep-stem ResNet -> ours."""
    names = {f'conv1.{i}': f'stem.{i}' for i in (0, 1, 3, 4, 6)}
    names['bn1'] = 'stem.7'
    for stage in range(1, 5):
        for block in range(MAX_BLOCKS):
            for part in ('conv1', 'bn1', 'conv2', 'bn2', 'conv3', 'bn3',
                         'downsample.0', 'downsample.1'):
                name = f'layer{stage}.{block}.{part}'
                names[name] = name
    return names


def codebase_modules() -> dict[str, str]:
    """Module names of the 448-pixel code base -> ours."""
    names = {
        f'backbone.{theirs}': f'backbone.{ours}'
        for theirs, ours in resnets_modules().items()
    }
    names.update({
        'conv_fov': 'decode_head.fov.conv',
        'bn_fov': 'decode_head.fov.bn',
        'conv_fov2': 'decode_head.fc.conv',
        'bn_fov2': 'decode_head.fc.bn',
        'aspp.branch5_conv': 'decode_head.image_pool.1.conv',
        'aspp.branch5_bn': 'decode_head.image_pool.1.bn',
        'aspp.conv_cat.0': 'decode_head.bottleneck.conv',
        'aspp.conv_cat.1': 'decode_head.bottleneck.bn',
        'cls_conv': 'decode_head.conv_seg',
    })
    for branch in range(4):
        theirs = f'aspp.branch{branch + 1}'
        ours = f'decode_head.aspp_modules.{branch}'
        names[f'{theirs}.0'] = f'{ours}.conv'
        names[f'{theirs}.1'] = f'{ours}.bn'
    return names


LAYOUTS = {
    'deeplab-pytorch': deeplab_pytorch_modules,
    'codebase': codebase_modules,
    'resnets': resnets_modules,
}
"""Layout -> module names of it."""


def detect_layout(keys: list[str]) -> str:
    """Recognise the layout of a state dict.

    Raises:
        ValueError: If it is none of the known ones.
    """
    for layout, sign in (('mmwsss', 'decode_head.'),
                         ('deeplab-pytorch', 'layer1.conv1.conv.'),
                         ('codebase', 'backbone.conv1.0.'), ('resnets', 'conv1.0.')):
        if any(key.startswith(sign) for key in keys):
            return layout
    raise ValueError(
        f'unknown layout: expected mmwsss, {", ".join(LAYOUTS)}; got keys like '
        f'{keys[:3]}')


def rename(state_dict: dict[str, Tensor],
           modules: dict[str, str]) -> tuple[dict[str, Tensor], list[str]]:
    """Rename the modules of a state dict.

    Args:
        state_dict (dict[str, Tensor]): The tensors.
        modules (dict[str, str]): Old module name -> new one.

    Returns:
        tuple[dict[str, Tensor], list[str]]: The renamed tensors, and the keys
        left out.

    Raises:
        ValueError: If a key is neither known nor to be left out.
    """
    renamed, left_out = {}, []
    for key, value in state_dict.items():
        module, leaf = key.rpartition('.')[::2]
        if module in modules:
            renamed[f'{modules[module]}.{leaf}'] = value
        elif key in LEFT_OUT:
            left_out.append(key)
        else:
            raise ValueError(f'unexpected key {key!r}')
    return renamed, left_out


def roll_fusion(state_dict: dict[str, Tensor], key: str,
                branches: int) -> dict[str, Tensor]:
    """Move the image-pool branch, which mmseg concatenates first, not last.

    Args:
        state_dict (dict[str, Tensor]): Changed in place.
        key (str): The weight that fuses the five branches, if present.
        branches (int): By how many branches its input channels roll.

    Returns:
        dict[str, Tensor]: ``state_dict``.
    """
    if key in state_dict:
        weight = state_dict[key]
        shift = branches * (weight.shape[1] // 5)
        state_dict[key] = weight.roll(shift, dims=1)
    return state_dict


def convert(state_dict: dict[str, Tensor],
            to: str = 'mmwsss') -> tuple[dict[str, Tensor], list[str]]:
    """Convert a state dict.

    Args:
        state_dict (dict[str, Tensor]): Of any known layout, with or without the
            prefixes of DataParallel (``module.``) and multi-scale input
            (``base.``).
        to (str): ``'mmwsss'``, or the layout to turn ours into. Defaults to
            'mmwsss'.

    Returns:
        tuple[dict[str, Tensor], list[str]]: The converted tensors, and the keys
        left out.

    Raises:
        ValueError: If the layout or a key is unknown, or source and target are
            both ours or both not.
    """
    state_dict = {
        key.removeprefix('module.').removeprefix('base.'): value
        for key, value in state_dict.items()
    }
    layout = detect_layout(list(state_dict))
    if (layout == 'mmwsss') == (to == 'mmwsss'):
        raise ValueError(f'cannot convert from {layout} to {to}')
    if to == 'mmwsss':
        renamed, left_out = rename(state_dict, LAYOUTS[layout]())
        return roll_fusion(renamed, 'decode_head.bottleneck.conv.weight', 1), left_out
    names = {ours: theirs for theirs, ours in LAYOUTS[to]().items()}
    renamed, left_out = rename(state_dict, names)
    renamed = roll_fusion(renamed, 'aspp.conv_cat.0.weight', -1)
    # A trained deeplab-pytorch model is wrapped for multi-scale input.
    prefix = 'base.' if to == 'deeplab-pytorch' else ''
    return {prefix + key: value for key, value in renamed.items()}, left_out


def parse_args() -> argparse.Namespace:
    parser = file_parser(__doc__)
    parser.add_argument(
        '--to',
        default='mmwsss',
        choices=('mmwsss', 'deeplab-pytorch', 'codebase'),
        help='target layout (default: %(default)s)')
    return parser.parse_args()


def main(args: argparse.Namespace) -> None:
    state_dict, left_out = convert_file(
        args.src, lambda weights: convert(weights, args.to))
    if args.to == 'mmwsss':
        write_checkpoint(args.dst, state_dict)
    else:
        write_file(args.dst, state_dict)
    if left_out:
        print(f'left out: {", ".join(left_out)}')


if __name__ == '__main__':
    run_tool(parse_args, main)

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Convert checkpoints of MCTformer to mmwsss.

Takes state dicts of https://github.com/xulianuwa/MCTformer, alone or under
``model``, and recognises them by their keys:

- MCTformer-V1 (``head`` is a linear layer, which nothing reads):
  ``mctformer_v1_deit-s_*.py``;
- MCTformer-V2 (``head`` is a convolution): ``mctformer_v2_deit-s_*.py``;
- MCTformer+ (``pos_embed_cls``): ``mctformer_plus_deit-s_*.py``;
- the segmentation on WideResNet38 (``fc8_seg_conv1``): ``deeplabv1_wide-r38_*.py``.

V1 and V2 hold the positions of class and patch tokens in one tensor, here there are
two. The last normalisation of the transformer, V1's ``head`` and the second
``pos_embed`` of MCTformer+, which nothing reads, are left out. Anything else that is
missing, left over or of another shape than the network here is an error.

DeiT's own ImageNet weights need no conversion: ``init_cfg`` of the backbone names
the file.

Example:
    PYTHONPATH=. python projects/mctformer/convert.py \\
        MCTformerV2.pth mctformer_v2_deit-s_voc.pth
"""

from __future__ import annotations

if __name__ == '__main__':
    from mmwsss.ctrl_c import end_at_ctrl_c
    end_at_ctrl_c()

import argparse
from typing import TYPE_CHECKING

from mmwsss.utils.conversion import (
    check_model,
    convert_file,
    file_parser,
    trunk_module,
    write_checkpoint,
)
from mmwsss.utils.entry_point import run_tool

if TYPE_CHECKING:
    from torch import Tensor

# Widths of DeiT's three sizes.
MODELS_BY_WIDTH = {192: 'tiny', 384: 'small', 768: 'base'}
SEG_HEAD = {'fc8_seg_conv1': 'convs.0.conv', 'fc8_seg_conv2': 'conv_seg'}
PATCH = 16


def convert(state_dict: dict[str, Tensor]) -> dict[str, Tensor]:
    """Convert a state dict.

    Args:
        state_dict (dict[str, Tensor]): Of a layout named above, with or without the
            prefix of DataParallel.

    Returns:
        dict[str, Tensor]: Of the whole model here.

    Raises:
        ValueError: Naming the keys, if some are unknown, missing or of another
            shape.
    """
    import mmwsss  # noqa: F401
    import projects.mctformer  # noqa: F401
    state_dict = {
        key.removeprefix('module.'): value for key, value in state_dict.items()
    }
    if 'fc8_seg_conv1.weight' in state_dict:
        converted, parts = convert_segmentation(state_dict)
    elif 'cls_token' in state_dict:
        converted, parts = convert_tokens(state_dict)
    else:
        raise ValueError('no checkpoint of MCTformer: neither cls_token nor '
                         'fc8_seg_conv1.weight is there')
    check_model(converted, parts)
    return converted


def convert_tokens(state_dict: dict[str, Tensor]) -> tuple[dict, dict]:
    """Weights and parts (configs) of a model of class tokens."""
    weights = dict(state_dict)
    token = weights.pop('cls_token')
    classes, width = token.shape[1:] if token.ndim == 3 else (0, 0)
    if width not in MODELS_BY_WIDTH:
        raise ValueError(f'cls_token of shape {tuple(token.shape)}, expected (1, C, D) '
                         f'with D of {sorted(MODELS_BY_WIDTH)}')
    convolution = getattr(weights.get('head.weight'), 'ndim', 0) == 4
    kind = 'V2' if convolution else 'V1'
    unread = ['norm.weight', 'norm.bias']
    if 'pos_embed_cls' in weights:
        kind = 'Plus'
        unread.append('pos_embed')
        positions = [weights.pop(key, token[:, :0])
                     for key in ('pos_embed_cls', 'pos_embed_pat')]
    else:
        both = weights.pop('pos_embed', token[:, :0])
        positions = [both[:, :classes], both[:, classes:]]
    if not convolution:
        unread += ['head.weight', 'head.bias']
    for key in unread:
        weights.pop(key, None)

    side = round(positions[1].shape[1]**0.5)
    parts = dict(
        backbone=dict(
            type='ClassTokenViT',
            num_classes=classes + 1,
            model_name=f'deit_{MODELS_BY_WIDTH[width]}_patch16_224',
            img_size=max(side, 1) * PATCH),
        decode_head=dict(
            type=f'MCTformer{kind}Head', in_channels=width, num_classes=classes + 1))
    converted = {
        'backbone.class_token': token,
        'backbone.class_position': positions[0],
        'backbone.patch_position': positions[1]
    }
    for key, value in weights.items():
        module, leaf = key.rpartition('.')[::2]
        converted[f'decode_head.classifier.{leaf}' if module == 'head'
                  else f'backbone.vit.{key}'] = value
    return converted, parts


def convert_segmentation(state_dict: dict[str, Tensor]) -> tuple[dict, dict]:
    """Weights and parts (configs) of the segmentation on WideResNet38."""
    converted = {}
    for key, value in state_dict.items():
        module, leaf = key.rpartition('.')[::2]
        trunk = trunk_module(module)
        if module in SEG_HEAD:
            converted[f'decode_head.{SEG_HEAD[module]}.{leaf}'] = value
        else:
            converted[f'backbone.{trunk}.{leaf}' if trunk else key] = value
    classes = len(state_dict.get('fc8_seg_conv2.weight', range(21)))
    return converted, dict(
        backbone=dict(type='WideResNet38'),
        decode_head=dict(
            type='DilatedPairHead', in_channels=4096, in_index=3, channels=512,
            num_classes=classes))


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    return file_parser(__doc__).parse_args()


def main(args: argparse.Namespace) -> None:
    """Convert a file."""
    write_checkpoint(
        args.dst, convert_file(args.src, convert, keys=('model', 'state_dict')))


if __name__ == '__main__':
    run_tool(parse_args, main)

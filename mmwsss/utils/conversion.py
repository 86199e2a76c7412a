# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""What converters of checkpoints share.

Their command line, files in and out, whether a network takes the weights, and names
that several sources have in common.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from .arguments import ToolParser
from .io import atomic_write, naming

if TYPE_CHECKING:
    from torch import Tensor

BLOCK_PARTS = dict(
    bn_branch2a='norm1', conv_branch2a='conv1', bn_branch2b1='norm2',
    conv_branch2b1='conv2', bn_branch2b2='norm3', conv_branch2b2='conv3',
    conv_branch1='shortcut')
# Index of each convolution in torchvision's ``features``.
VGG_CONVS = {
    'conv1_1': 0, 'conv1_2': 2, 'conv2_1': 5, 'conv2_2': 7, 'conv3_1': 10,
    'conv3_2': 12, 'conv3_3': 14, 'conv4_1': 17, 'conv4_2': 19, 'conv4_3': 21,
    'conv5_1': 24, 'conv5_2': 26, 'conv5_3': 28
}

def file_parser(doc: str) -> ToolParser:
    """A parser of the file to convert and the one to write.

    Args:
        doc (str): The docstring of the converter.
    """
    parser = ToolParser(doc)
    parser.add_argument('src', help='checkpoint to convert')
    parser.add_argument('dst', help='file to write')
    return parser


def convert_file(path: str,
                 convert: Callable[[dict[str, Tensor]], Any],
                 keys: Sequence[str] = ('state_dict', )) -> Any:
    """Read weights, running nothing that is in the file, and convert them.

    Args:
        path (str): A checkpoint, or a state dict alone.
        convert (Callable): What is called with the state dict.
        keys (Sequence[str]): Under which key of a checkpoint it may lie.
            Defaults to ('state_dict', ).

    Raises:
        ValueError: Naming the file, if it holds no weights or other ones.
    """
    from .checkpoint import load_weights
    state_dict = load_weights(path, keys)
    with naming(path):
        return convert(state_dict)


def write_checkpoint(path: str, state_dict: dict[str, Tensor], **meta) -> None:
    """Write a checkpoint of mmwsss.

    Args:
        path (str): The file.
        state_dict (dict[str, Tensor]): The weights.
        **meta: What the checkpoint says of itself, such as ``stage``.
    """
    write_file(path, dict(meta=meta, state_dict=state_dict))


def write_file(path: str, content: dict) -> None:
    """Write what torch can save, and say so."""
    import torch
    with atomic_write(path) as file:
        torch.save(content, file)
    print(f'wrote {path}')


def check_model(weights: dict[str, Tensor], parts: dict[str, dict]) -> None:
    """Refuse converted weights of another model.

    Args:
        weights (dict[str, Tensor]): All of a model here.
        parts (dict[str, dict]): The configs of its parts, such as
            ``decode_head``.

    Raises:
        ValueError: Naming the head and the keys, if some are left over, missing
            or of another shape.
    """
    import torch
    from mmseg.registry import MODELS

    from .checkpoint import check_weights
    with torch.device('meta'):
        wanted = {
            f'{part}.{key}': value for part, cfg in parts.items()
            for key, value in MODELS.build(cfg).state_dict().items()
        }
    with naming(parts['decode_head']['type']):
        check_weights(weights, wanted)


def trunk_module(name: str) -> str | None:
    """A module's name in our WideResNet38 or VGG-16, None where it is of neither.

    Args:
        name (str): Of PSA's code: ``b4_3.bn_branch2a``, ``conv3_1``.
    """
    block = re.fullmatch(r'b([2-7])(?:_(\d))?\.(\w+)', name)
    if block and block[3] in BLOCK_PARTS:
        return f'layer{block[1]}.{block[2] or 0}.{BLOCK_PARTS[block[3]]}'
    if name in VGG_CONVS:
        return f'features.{VGG_CONVS[name]}'
    return {'conv1a': 'conv1', 'bn7': 'norm', 'fc6': 'fc6', 'fc7': 'fc7'}.get(name)

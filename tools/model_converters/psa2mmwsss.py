# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Convert WideResNet38 and VGG-16 checkpoints of PSA and SEAM to mmwsss.

The layout of the source is recognised by its keys:

- ImageNet's WideResNet38 (``ilsvrc-cls_rna-a1_cls1000_ep-0001.params``, an
  MXNet file; MXNet itself is not needed), and PyTorch state dicts of the two
  bare trunks (``b2.bn_branch2a.weight``; ``conv1_1.weight``, ``fc6.weight``): a
  backbone, for its ``init_cfg``. The 1000-way classifier is left out;
- PSA's classifiers (``fc8``) and affinity networks (``f8_3`` ... ``f9``), on
  both trunks;
- SEAM (``fc8`` and ``f9``), whose background row of ``fc8`` no loss reads and
  which is left out.

Example:
    python tools/model_converters/psa2mmwsss.py \\
        ilsvrc-cls_rna-a1_cls1000_ep-0001.params \\
        pretrain/wide_resnet38_in1k.pth
"""

from __future__ import annotations

if __name__ == '__main__':
    from mmwsss.ctrl_c import end_at_ctrl_c
    end_at_ctrl_c()

import argparse
import math
import re
import struct
from typing import TYPE_CHECKING

import numpy as np

from mmwsss.utils import naming
from mmwsss.utils.conversion import (
    convert_file,
    file_parser,
    trunk_module,
    write_checkpoint,
)
from mmwsss.utils.entry_point import run_tool

if TYPE_CHECKING:
    from torch import Tensor

MXNET_LIST_MAGIC = 0x112
MXNET_V1_MAGIC, MXNET_V2_MAGIC, MXNET_V3_MAGIC = (
    0xF993FAC8, 0xF993FAC9, 0xF993FACA)
MXNET_DTYPES = {
    0: np.float32, 1: np.float64, 2: np.float16, 3: np.uint8, 4: np.int32,
    5: np.int8, 6: np.int64
}
MXNET_LEAVES = dict(
    beta='bias', gamma='weight', mean='running_mean', var='running_var')


class _Reader:
    """A file read value by value, without trust in its lengths."""

    def __init__(self, path: str) -> None:
        self.path = path
        with open(path, 'rb') as file:
            self.data = memoryview(file.read())
        self.position = 0

    def take(self, size: int) -> memoryview:
        if not 0 <= size <= len(self.data) - self.position:
            raise ValueError(f'{self.path} is truncated or no MXNet file')
        start, self.position = self.position, self.position + size
        return self.data[start:self.position]

    def number(self, code: str) -> int:
        return struct.unpack('<' + code, self.take(struct.calcsize(code)))[0]

    def numbers(self, code: str, count: int) -> tuple[int, ...]:
        data = self.take(struct.calcsize(f'<{code}') * count)
        return struct.unpack(f'<{count}{code}', data)


def read_mxnet(path: str) -> dict[str, Tensor]:
    """Read the dense arrays of an MXNet ``.params`` file.

    Raises:
        ValueError: If the file is truncated or of another format.
    """
    with naming(path):
        return _read_arrays(_Reader(path))


def _read_arrays(reader: _Reader) -> dict[str, Tensor]:
    path = reader.path
    if reader.number('Q') != MXNET_LIST_MAGIC:
        raise ValueError(f'{path} is no MXNet file')
    reader.number('Q')
    arrays = [_read_mxnet_array(reader) for _ in range(reader.number('Q'))]
    names = [
        str(reader.take(reader.number('Q')), 'utf8')
        for _ in range(reader.number('Q'))
    ]
    if len(names) != len(arrays):
        raise ValueError(f'{path} has {len(arrays)} arrays and {len(names)} names')
    return dict(zip(names, arrays, strict=True))


def _read_mxnet_array(reader: _Reader) -> Tensor:
    import torch
    magic = reader.number('I')
    if magic in (MXNET_V2_MAGIC, MXNET_V3_MAGIC) and reader.number('i') != 0:
        raise ValueError(f'{reader.path} has a sparse array')
    if magic in (MXNET_V1_MAGIC, MXNET_V2_MAGIC, MXNET_V3_MAGIC):
        shape = reader.numbers('q', reader.number('I'))
    else:
        # The first format has no magic: it starts with the dimensions.
        if magic > 32:
            raise ValueError(f'{reader.path} has an array of unknown format')
        shape = reader.numbers('I', magic)
    reader.numbers('i', 2)  # The device it was on.
    dtype = reader.number('i')
    if dtype not in MXNET_DTYPES:
        raise ValueError(f'{reader.path} has an array of unknown type {dtype}')
    dtype = np.dtype(MXNET_DTYPES[dtype])
    if min(shape, default=0) < 0:
        raise ValueError(f'{reader.path} has an array of shape {shape}')
    data = reader.take(math.prod(shape) * dtype.itemsize)
    return torch.from_numpy(
        np.frombuffer(data, dtype.newbyteorder('<')).astype(dtype).reshape(shape))


def mxnet_to_torch(arrays: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rename MXNet's WideResNet38 as the PyTorch code does.

    ``arg:res4b3_branch2a_weight`` becomes ``b4_3.conv_branch2a.weight``.

    Raises:
        ValueError: If a name is unknown.
    """
    renamed = {}
    for name, value in arrays.items():
        plain = name.rpartition(':')[2]
        block = re.fullmatch(
            r'(res|bn)(\d)(?:a|b(\d))_(branch\w+?)_(weight|beta|gamma|'
            r'(?:moving_)?(?:mean|var))', plain)
        if plain == 'conv1a_weight':
            renamed['conv1a.weight'] = value
        elif plain.startswith('linear1000_'):
            continue
        elif block:
            kind, layer, index, branch, leaf = block.groups()
            index = f'_{index}' if index else ''
            kind = 'conv' if kind == 'res' else 'bn'
            leaf = leaf.removeprefix('moving_')
            leaf = MXNET_LEAVES.get(leaf, leaf)
            renamed[f'b{layer}{index}.{kind}_{branch}.{leaf}'] = value
        elif plain.startswith('bn7_') and plain.rpartition('_')[2] in MXNET_LEAVES:
            renamed[f'bn7.{MXNET_LEAVES[plain.rpartition("_")[2]]}'] = value
        else:
            raise ValueError(f'unexpected array {name!r}')
    return renamed


def head_modules(state_dict: dict[str, Tensor]) -> dict[str, str]:
    """Module names of the head -> ours."""
    if 'f9.weight' not in state_dict:
        return {'fc8': 'classifier'}
    if 'fc8.weight' in state_dict:
        return {'fc8': 'classifier', 'f8_3': 'reduce.0', 'f8_4': 'reduce.1',
                'f9': 'embed'}
    names = {'f9': 'fuse'}
    for i in range(3):
        names[f'f8_{i + 3}'] = f'reduce.{i}.conv'
        names[f'gn8_{i + 3}'] = f'reduce.{i}.gn'
    return names


def convert(state_dict: dict[str, Tensor]) -> dict[str, Tensor]:
    """Convert a state dict.

    Args:
        state_dict (dict[str, Tensor]): Of any layout named above, with or
            without the prefix of DataParallel.

    Returns:
        dict[str, Tensor]: Of a backbone, if the source has no head; of a whole
        model otherwise.

    Raises:
        ValueError: If a key is unknown.
    """
    state_dict = {
        key.removeprefix('module.'): value for key, value in state_dict.items()
    }
    if any(':' in key for key in state_dict):
        state_dict = mxnet_to_torch(state_dict)
    is_model = 'f9.weight' in state_dict or (
        'fc8.weight' in state_dict and state_dict['fc8.weight'].shape[0] != 1000)
    heads = head_modules(state_dict) if is_model else {}
    is_seam = 'embed' in heads.values()
    converted = {}
    for key, value in state_dict.items():
        module, leaf = key.rpartition('.')[::2]
        if module in heads:
            if is_seam and module == 'fc8':
                value = value[1:]
            converted[f'decode_head.{heads[module]}.{leaf}'] = value
        elif trunk_module(module):
            prefix = 'backbone.' if is_model else ''
            converted[f'{prefix}{trunk_module(module)}.{leaf}'] = value
        elif module != 'fc8':
            raise ValueError(f'unexpected key {key!r}')
    return converted


def parse_args() -> argparse.Namespace:
    return file_parser(__doc__).parse_args()


def main(args: argparse.Namespace) -> None:
    if args.src.endswith('.params'):
        with naming(args.src):
            weights = convert(read_mxnet(args.src))
    else:
        weights = convert_file(args.src, convert)
    write_checkpoint(args.dst, weights)


if __name__ == '__main__':
    run_tool(parse_args, main)

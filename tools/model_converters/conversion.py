# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""What converters of checkpoints share: their command line, and files in and out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from mmwsss.utils import atomic_write, naming
from mmwsss.utils.arguments import ToolParser

if TYPE_CHECKING:
    from torch import Tensor


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
    from mmwsss.utils.checkpoint import load_weights
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

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""The weights in a TorchScript archive, such as OpenAI's, of which nothing is run.

``torch.jit.load`` compiles what the archive says, and may run parts of it. Here its
``data.pkl`` is read by an unpickler that knows tensors and empty modules, and nothing
else.
"""

import math
import pickle
import zipfile
from collections import OrderedDict
from typing import Any

import numpy as np
import torch
from torch import Tensor

DTYPES = dict(
    HalfStorage=np.float16, FloatStorage=np.float32, DoubleStorage=np.float64,
    LongStorage=np.int64, IntStorage=np.int32, ShortStorage=np.int16,
    CharStorage=np.int8, ByteStorage=np.uint8, BoolStorage=np.bool_)


class _Module:
    """A module of the archive; pickle fills in what it holds."""


class _Reader(pickle.Unpickler):
    """Reads ``data.pkl`` of an archive."""

    def __init__(self, archive: zipfile.ZipFile, folder: str) -> None:
        super().__init__(archive.open(f'{folder}/data.pkl'))
        self.archive = archive
        self.folder = folder

    def find_class(self, module: str, name: str) -> Any:
        if module.startswith('__torch__'):
            return _Module
        if module == 'torch' and name in DTYPES:
            return name
        if (module, name) == ('torch._utils', '_rebuild_tensor_v2'):
            return _rebuild
        if (module, name) == ('collections', 'OrderedDict'):
            return OrderedDict
        if module == 'torch.jit._pickle' and name.startswith('build_'):
            return list
        if (module, name) == ('torch.jit._pickle', 'restore_type_tag'):
            return _first
        raise pickle.UnpicklingError(f'{module}.{name} is no part of weights')

    def persistent_load(self, pid: Any) -> np.ndarray:
        _, kind, key, _, count = pid
        data = self.archive.read(f'{self.folder}/data/{key}')
        return np.frombuffer(data, DTYPES[kind], count)


def _first(value: Any, *_: Any) -> Any:
    return value


def _rebuild(storage: np.ndarray, offset: int, size: tuple, stride: tuple,
             *_: Any) -> Tensor:
    """A contiguous tensor; others do not occur in weights."""
    expected, step = [], 1
    for length in reversed(size):
        expected.insert(0, step)
        step *= length
    if any(length > 1 and one != wanted for length, one, wanted in zip(
            size, stride, expected, strict=True)):
        raise pickle.UnpicklingError('a tensor does not lie row by row')
    values = storage[offset:offset + math.prod(size)]
    return torch.from_numpy(values.reshape(size).copy())


def is_torchscript(path: str) -> bool:
    """Whether a file is a TorchScript archive."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith('/constants.pkl') for name in archive.namelist())


def read_torchscript(path: str) -> dict[str, Tensor]:
    """Read the tensors of a TorchScript archive by their dotted names.

    Raises:
        ValueError: Naming the file, if it is not whole or holds other things.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            name = next(name for name in archive.namelist()
                        if name.endswith('/constants.pkl'))
            root = _Reader(archive, name.rpartition('/')[0]).load()
        weights: dict[str, Tensor] = {}
        _collect(root, '', weights)
        return weights
    except PermissionError:
        raise
    # A damaged archive surfaces as any of a dozen exceptions.
    except Exception as error:
        raise ValueError(
            f'{path} is no whole TorchScript archive of weights: {error}') from error


def _collect(module: Any, prefix: str, weights: dict[str, Tensor]) -> None:
    for name, value in vars(module).items():
        if isinstance(value, Tensor):
            weights[prefix + name] = value
        elif isinstance(value, _Module):
            _collect(value, f'{prefix}{name}.', weights)

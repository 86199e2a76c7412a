# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""What :func:`mmwsss.ops.dense_crf` can compute with.

Each module has a class ``MeanField``, a :class:`BaseMeanField`. numba, which takes
half a second to import, and pydensecrf are imported by the first that needs them.
"""

import warnings
from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

from . import numba_backend, pydensecrf_backend, torch_backend
from .base_backend import BaseMeanField

BACKENDS: dict[str, Callable[[Tensor, tuple, tuple], BaseMeanField]] = dict(
    numba=numba_backend.MeanField,
    torch=torch_backend.MeanField,
    pydensecrf=pydensecrf_backend.MeanField)
"""``MeanField`` by the name of its backend."""


def choose_backend(name: str, device: torch.device) -> str:
    """The backend that ``name``, which may be ``'auto'``, stands for."""
    if name != 'auto':
        return name
    return 'torch' if device.type == 'cuda' else _cpu_backend()


@cache
def _cpu_backend() -> str:
    try:
        numba_backend.load_kernels()
    except ImportError as error:
        warnings.warn(
            f'{error}; going on with torch, several times slower', stacklevel=2)
        return 'torch'
    return 'numba'

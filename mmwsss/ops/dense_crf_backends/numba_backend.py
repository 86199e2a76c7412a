# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Mean field in loops that numba compiles."""

import pickle
import warnings
from functools import cache, lru_cache
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from . import geometry, torch_backend
from .base_backend import BaseMeanField


@cache
def load_kernels() -> ModuleType:
    """The compiled functions; numba is imported here and not earlier.

    Raises:
        ImportError: If numba is missing, broken or switched off.
    """
    try:
        import numba
        config: Any = numba.config
        if config.DISABLE_JIT:
            raise ImportError('NUMBA_DISABLE_JIT is set')
        from . import numba_kernels
    # llvmlite raises the others where its library is broken.
    except (ImportError, OSError, AttributeError) as error:
        raise ImportError('dense CRF by numba needs `pip install numba` '
                          f'({error})') from error
    return numba_kernels


def _run(name: str, *arguments) -> Any:
    """Call a kernel, without its cache where that fails."""
    kernels = load_kernels()
    try:
        return getattr(kernels, name)(*arguments)
    except (OSError, EOFError, pickle.UnpicklingError) as error:
        # Only compiling reads and writes files: nothing has been computed.
        warnings.warn(
            f'compiled code of the dense CRF cannot be kept ({error}): each '
            'process compiles it again', stacklevel=2)
        kernel = kernels.jit()(getattr(kernels, name).py_func)
        setattr(kernels, name, kernel)
        return kernel(*arguments)


def _normalised_lattice(image: np.ndarray, deviations: tuple,
                        strength: float) -> tuple:
    """A lattice with kernel and normalisation folded in, and what it sends."""
    size = len(deviations) + 1
    rows = geometry.embedding(deviations)
    height, width = image.shape[:2]
    packing = geometry.key_steps(
        rows, geometry.feature_ranges(height, width, deviations))
    bits = (height * width - 1).bit_length()
    if packing is None or packing[2] + bits > 64:
        arrays = torch_backend.build(
            torch.from_numpy(image), deviations).as_arrays()
    else:
        padded = np.zeros((size - 1, 8), np.float32)
        padded[:, :size] = rows
        steps, origin, _ = packing
        keys, counts, offsets, weights = _run(
            'place', image, padded, steps, origin, bits)
        for row, count in zip(keys, counts, strict=True):
            row[:count].sort()
        arrays = [offsets, weights,
                  _run('connect', keys, counts, offsets, steps, bits)]
    lattice = ((0,) * size, *arrays)
    received = _run('normalise', lattice,
                    geometry.blur_height(len(deviations)), float(strength))
    return lattice, received


@lru_cache(maxsize=4)
def _place_lattice(height: int, width: int, deviation: float,
                   strength: float) -> tuple:
    """The lattice of places, which images of one size share."""
    return _normalised_lattice(
        np.zeros((height, width, 3), np.uint8), (deviation,) * 2, strength)


class MeanField(BaseMeanField):
    """Mean field by compiled loops on the CPU."""

    def __init__(self, image: Tensor, gaussian: tuple,
                 bilateral: tuple) -> None:
        load_kernels()
        pixels = np.ascontiguousarray(image.cpu().numpy())
        place, colour, strength = bilateral
        self.near, received = _place_lattice(
            *pixels.shape[:2], *map(float, gaussian))
        self.alike, also = _normalised_lattice(
            pixels, (place,) * 2 + (colour,) * 3, strength)
        self.received = received + also

    def __call__(self, logits: Tensor, num_iter: int) -> Tensor:
        """Iterate; see :class:`BaseMeanField`."""
        unary = logits.cpu().numpy().reshape(len(logits), -1)
        others = len(unary) - 1
        # Labels beyond the last fill the registers; they have probability 0.
        width = 1 << (others - 1).bit_length() if others < 8 else -(-others // 8) * 8
        odds = np.full((unary.shape[1], width), -1e30, np.float32)
        odds[:, :others] = (unary[:-1] - unary[-1]).T
        graph = (self.near, self.alike, self.received, num_iter)
        if width <= 8:
            beliefs = odds
            _run('mean_field', beliefs, *graph, (0,) * width)
        else:
            beliefs = odds.copy()
            _run('mean_field_of_blocks', odds, beliefs, *graph)
        result = np.empty_like(unary)
        result[:-1] = beliefs[:, :others].T
        result[-1] = 1 - result[:-1].sum(0)
        return torch.from_numpy(result.clip(0, 1)).view(logits.shape)

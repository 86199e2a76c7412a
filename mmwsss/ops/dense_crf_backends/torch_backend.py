# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Mean field in tensor operations, on any device.

Sums over the lattice are those of ``embedding_bag``: of the pixels around each
vertex, of the vertex and its two neighbours, and of the vertices around a pixel.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from . import geometry
from .base_backend import BaseMeanField


class Lattice(NamedTuple):
    """A permutohedral lattice of N pixels, C corners a simplex and M vertices.

    Args:
        offsets (Tensor): The vertices around each pixel, int32 of (N, C).
        weights (Tensor): The pixel's share of each, float32 of (N, C).
        neighbours (Tensor): The vertices on both sides of each vertex along
            each axis, int32 of shape (C, M, 2); M where there is none.
    """

    offsets: Tensor
    weights: Tensor
    neighbours: Tensor

    def as_arrays(self) -> list[np.ndarray]:
        """As arrays."""
        return [field.contiguous().cpu().numpy() for field in self]


class _VertexIndex:
    """Numbers for points of whole coordinates, each number once.

    Coordinates are packed into one key where 62 bits hold them. Otherwise the
    first of them are numbered, and the numbers packed with the next ones.

    Args:
        points (Tensor): int64 of shape (P, d).
        margin (int): How far from these points others may lie that
            :meth:`find` is asked for.
    """

    def __init__(self, points: Tensor, margin: int) -> None:
        self.low = points.amin(0) - margin
        spans = (points.amax(0) + margin + 1 - self.low).tolist()
        self.groups: list[list[tuple[int, int]]] = []
        room = 0
        for i, span in enumerate(spans):
            if span > room:
                self.groups.append([])
                room = 2**62 // (len(points) if i else 1)
            self.groups[-1].append((i, span))
            room //= span
        self.keys: list[Tensor] = []
        self.numbers = points.new_zeros(len(points))
        for group in self.groups:
            found, self.numbers = torch.unique(
                self._pack(self.numbers, points, group), return_inverse=True)
            self.keys.append(found)

    def __len__(self) -> int:
        return len(self.keys[-1])

    def find(self, points: Tensor) -> Tensor:
        """Numbers of points of shape (P, d); ``len(self)`` for unknown ones."""
        numbers = points.new_zeros(len(points))
        known = torch.ones_like(numbers, dtype=torch.bool)
        for group, keys in zip(self.groups, self.keys, strict=True):
            wanted = self._pack(numbers, points, group)
            numbers = torch.searchsorted(keys, wanted).clamp(max=len(keys) - 1)
            known &= keys[numbers] == wanted
        return numbers.where(known, numbers.new_tensor(len(self)))

    def _pack(self, numbers: Tensor, points: Tensor, group: list) -> Tensor:
        for i, span in group:
            numbers = numbers * span + (points[:, i] - self.low[i])
        return numbers


def build(image: Tensor, deviations: tuple[float, ...]) -> Lattice:
    """Place the pixels of an image on the lattice.

    Args:
        image (Tensor): uint8 of shape (H, W, 3).
        deviations (tuple[float, ...]): Of column and row, and perhaps of the
            three colours.

    Raises:
        ValueError: If the deviations are too small for float32.
    """
    height, width = image.shape[:2]
    device = image.device
    size = len(deviations) + 1
    rows = geometry.embedding(deviations)
    geometry.coordinate_ends(
        rows, geometry.feature_ranges(height, width, deviations))
    y, x = torch.meshgrid(
        torch.arange(height, device=device), torch.arange(width, device=device),
        indexing='ij')
    features = torch.cat([torch.stack([x, y], 2), image], 2).reshape(
        height * width, 5)[:, :size - 1].double()
    points = features @ torch.from_numpy(rows).to(device)
    # The nearest vertex of remainder 0, and the order of the differences from
    # it: that is the simplex.
    base = (points / size).round()
    order = (points - size * base).argsort(
        dim=1, descending=True, stable=True)
    places = torch.arange(size, device=device)
    rank = torch.empty_like(order).scatter_(1, order, places.expand_as(order))
    base = base.long()
    rank = rank + base.sum(1, keepdim=True)
    shift = (rank < 0).long() - (rank >= size).long()
    rank, base = rank + size * shift, size * (base + shift)
    shares = torch.empty_like(points).scatter_(1, rank, (points - base) / size)
    weights = shares.flip(1).diff(dim=1, prepend=shares[:, :1] - 1).float()
    # Corner r has remainder r: each coordinate grows by r, or by r - size.
    corners = base[:, None] + places[:, None] - size * (
        rank[:, None] > size - 1 - places[:, None]).long()
    corners = corners[..., :-1].reshape(-1, size - 1)
    index = _VertexIndex(corners, 2 * size)
    vertices = corners.new_empty(len(index), size - 1)
    vertices[index.numbers] = corners
    neighbours = []
    for axis in range(size):
        step = corners.new_full((size - 1,), -1)
        if axis < size - 1:
            step[axis] += size
        neighbours.append(torch.stack(
            [index.find(vertices + step), index.find(vertices - step)], 1))
    return Lattice(index.numbers.view(-1, size).int(), weights,
                   torch.stack(neighbours).int())


class _Filter:
    """A Gaussian kernel, normalised on both sides, times its strength."""

    def __init__(self, image: Tensor, deviations: tuple,
                 strength: float) -> None:
        self.offsets, self.weights, neighbours = build(image, deviations)
        num, size = self.offsets.shape
        self.height = geometry.blur_height(size - 1)
        # Pixels by vertex, and where each vertex begins.
        self._order = self.offsets.flatten().argsort()
        self._pixels = (self._order // size).int()
        counts = self.offsets.flatten().bincount(minlength=neighbours.shape[1])
        self._starts = F.pad(counts.cumsum(0), (1, 0)).int()
        centre = torch.arange(neighbours.shape[1], device=image.device).int()
        self._stencils = [torch.cat([centre[:, None], sides], 1)
                          for sides in neighbours]
        self._stencil = self.weights.new_tensor([1, .5, .5]).repeat(
            len(centre), 1)
        ones = self.weights.new_ones(num, 1)
        norm = (self.height * self(ones) + 1e-20).rsqrt()
        self.weights = self.weights * norm * (self.height * strength)**.5
        self.received = self(ones)

    def __call__(self, maps: Tensor) -> Tensor:
        """Filter maps of shape (N, K)."""
        values = F.embedding_bag(
            self._pixels, maps, self._starts, mode='sum',
            per_sample_weights=self.weights.flatten()[self._order],
            include_last_offset=True)
        for stencil in self._stencils:
            # The last row is that of absent vertices.
            values = F.embedding_bag(
                stencil, F.pad(values, (0, 0, 0, 1)), mode='sum',
                per_sample_weights=self._stencil)
        return F.embedding_bag(
            self.offsets, values, mode='sum', per_sample_weights=self.weights)


@lru_cache(maxsize=4)
def _place_filter(height: int, width: int, deviation: float, strength: float,
                  device: torch.device) -> _Filter:
    """The kernel of places, which images of one size share."""
    image = torch.zeros(height, width, 3, dtype=torch.uint8, device=device)
    return _Filter(image, (deviation,) * 2, strength)


class MeanField(BaseMeanField):
    """Mean field in tensor operations, where the image is."""

    def __init__(self, image: Tensor, gaussian: tuple,
                 bilateral: tuple) -> None:
        place, colour, strength = bilateral
        near = _place_filter(
            *image.shape[:2], *map(float, gaussian), image.device)
        alike = _Filter(image, (place,) * 2 + (colour,) * 3, strength)
        self.filters = (near, alike)
        self.received = near.received + alike.received

    def __call__(self, logits: Tensor, num_iter: int) -> Tensor:
        """Iterate; see :class:`BaseMeanField`."""
        unary = logits.flatten(1).T.contiguous()
        beliefs = unary.softmax(1)
        near, alike = self.filters
        for _ in range(num_iter):
            # Probabilities add up to 1: of what a pixel receives, the last
            # label gets what the others do not send.
            others = beliefs[:, :-1].contiguous()
            sent = near(others) + alike(others)
            rest = self.received - sent.sum(1, keepdim=True)
            beliefs = (unary + torch.cat([sent, rest], 1)).softmax(1)
        return beliefs.T.reshape(logits.shape)

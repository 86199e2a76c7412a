# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Regions of a mask as outlines and as run lengths."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import cv2
import numpy as np

_FINE = 2
"""Outlines run on a grid this much finer than pixels: they then lie around the
centres of pixels, so that any way of filling gives the same pixels back."""

_FAR = 1_000_000


def regions(mask: np.ndarray, min_pixels: int = 1) -> Iterator[tuple[int, np.ndarray]]:
    """The connected regions of each class.

    Args:
        mask (np.ndarray): uint8 class ids ``(H, W)``; 0 is background, 255 nothing.
        min_pixels (int): Smaller regions are left out. Defaults to 1.

    Yields:
        tuple[int, np.ndarray]: Class id and bool ``(H, W)``.
    """
    for label in np.unique(mask).tolist():
        if label in (0, 255):
            continue
        count, parts, stats, _ = cv2.connectedComponentsWithStats(
            (mask == label).astype(np.uint8), connectivity=8)
        for part in range(1, count):
            if stats[part, cv2.CC_STAT_AREA] >= min_pixels:
                yield label, parts == part


def box_of(region: np.ndarray) -> tuple[int, int, int, int]:
    """Left, top, width and height of a region that is not empty."""
    rows, columns = np.flatnonzero(region.any(1)), np.flatnonzero(region.any(0))
    return (int(columns[0]), int(rows[0]), int(columns[-1] - columns[0] + 1),
            int(rows[-1] - rows[0] + 1))


def outline(region: np.ndarray, tolerance: float = 0.) -> np.ndarray:
    """One polygon around a connected region, its holes joined by double lines.

    Formats of polygons know no holes: the outline walks to each of them and back
    by the same line, which no way of filling shows.

    Args:
        region (np.ndarray): bool ``(H, W)``, one part, not empty.
        tolerance (float): Pixels by which the outline may leave out corners.
            Defaults to 0, exact.

    Returns:
        np.ndarray: Points ``(P, 2)`` (x, y), of pixels' corners: the centre of the
        first pixel is (0.5, 0.5).
    """
    left, top, width, height = box_of(region)
    part = region[top:top + height, left:left + width].astype(np.uint8)
    fine = np.kron(part, np.ones((_FINE, _FINE), np.uint8))
    found, tree = cv2.findContours(
        fine, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    parents = tree.reshape(-1, 4)[:, 3]
    rings = [ring.reshape(-1, 2) for ring in found]
    if tolerance:
        rings = [cv2.approxPolyDP(ring.astype(np.int32), tolerance * _FINE, True)
                 .reshape(-1, 2) for ring in rings]
    path = rings[int((parents < 0).argmax())]
    # A hole that lost its area is none.
    for ring in (ring for ring, parent in zip(rings, parents, strict=True)
                 if parent >= 0 and len(ring) > 2):
        path = _join(path, ring)
    if len(path) < 3:
        # A line of pixels, of which rounding left no area.
        x, y = path.min(0), path.max(0)
        path = np.array([[x[0], x[1]], [y[0], x[1]], [y[0], y[1]], [x[0], y[1]]])
    return (path + 0.5) / _FINE + (left, top)


def _join(path: np.ndarray, ring: np.ndarray) -> np.ndarray:
    """A path that visits a ring at the nearest points of both."""
    gaps = ((path[:, None].astype(np.int64) - ring[None]) ** 2).sum(2)
    i, j = np.unravel_index(gaps.argmin(), gaps.shape)
    return np.concatenate([path[:i + 1], ring[j:], ring[:j + 1], path[i:]])


def fill(polygons: Sequence[Sequence[float]], size: tuple[int, int]) -> np.ndarray:
    """The pixels of polygons.

    Args:
        polygons (Sequence): Flat lists x, y, x, y, ... of pixels' corners.
        size (tuple[int, int]): (H, W).

    Returns:
        np.ndarray: bool ``(H, W)``.

    Raises:
        ValueError: If a polygon has fewer than three points.
        ImportError: If pycocotools is not installed.
    """
    from pycocotools import mask as coco_mask
    for polygon in polygons:
        if len(polygon) < 6 or len(polygon) % 2:
            raise ValueError(f'a polygon has {len(polygon)} numbers, expected at '
                             'least three points')
    check_corners(polygons)
    height, width = size
    if not polygons:
        return np.zeros(size, dtype=bool)
    runs = coco_mask.frPyObjects([list(map(float, p)) for p in polygons], height, width)
    return coco_mask.decode(coco_mask.merge(runs)).astype(bool)


def check_corners(polygons: Sequence[Sequence[float]]) -> None:
    """Refuse corners that pycocotools would draw lines of any length to.

    Raises:
        ValueError: If a coordinate is no number, or far from any image.
    """
    for polygon in polygons:
        values = np.asarray(polygon, dtype=float)
        if values.ndim != 1 or not np.isfinite(values).all():
            raise ValueError('a polygon has coordinates that are no numbers')
        if np.abs(values).max(initial=0) > _FAR:
            raise ValueError(f'a polygon has coordinates beyond {_FAR} pixels')


def decode_runs(runs: Mapping[str, Any], size: tuple[int, int]) -> np.ndarray:
    """The pixels of COCO's run lengths, which go down the columns.

    Args:
        runs (Mapping): ``size``, and ``counts`` as a list or compressed.
        size (tuple[int, int]): (H, W) of the image.

    Returns:
        np.ndarray: bool ``(H, W)``.

    Raises:
        ValueError: If they are of another size, before memory is asked for, or do
            not add up to it.
        ImportError: If pycocotools is not installed.
    """
    from pycocotools import mask as coco_mask
    if tuple(runs['size']) != size:
        raise ValueError(f'a mask has the size {runs["size"]}, its image {list(size)}')
    if isinstance(runs['counts'], list):
        flat = from_run_lengths(runs['counts'], size[0] * size[1])
        return flat.reshape(size, order='F')
    return coco_mask.decode(dict(runs, size=list(size))).astype(bool)


def run_lengths(values: np.ndarray) -> list[int]:
    """Lengths of the runs of a flat bool array, beginning with False."""
    borders = np.flatnonzero(np.diff(values.astype(np.int8))) + 1
    lengths = np.diff(np.concatenate([[0], borders, [len(values)]])).tolist()
    return [0, *lengths] if len(values) and values[0] else lengths


def from_run_lengths(lengths: Sequence[int], count: int) -> np.ndarray:
    """The flat bool array of given runs, the first of which is False.

    Raises:
        ValueError: If they do not add up to ``count``.
    """
    try:
        runs = np.asarray(lengths, dtype=np.int64)
    except OverflowError as error:
        raise ValueError(f'runs of more than {count} pixels') from error
    if runs.size and runs.min() < 0 or runs.sum() != count:
        raise ValueError(f'runs of {runs.sum()} pixels, expected {count}')
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs)

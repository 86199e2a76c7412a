# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Pairs of pixels near each other, and the pixels between them."""

from functools import lru_cache


@lru_cache
def pair_offsets(radius: int) -> tuple[tuple[int, int], ...]:
    """Offsets (dy, dx) from a pixel to its neighbours in half a disc.

    Every unordered pair of pixels at a distance below ``radius`` comes once.

    Args:
        radius (int): In pixels, at least 2.

    Returns:
        tuple[tuple[int, int], ...]: 34 offsets for radius 5, 152 for 10.

    Raises:
        ValueError: If the radius is no integer of at least 2.
    """
    if not isinstance(radius, int) or radius < 2:
        raise ValueError(
            f'radius must be an integer of at least 2, got {radius!r}')
    return tuple((dy, dx) for dy in range(radius)
                 for dx in range(-radius + 1, radius)
                 if dy * dy + dx * dx < radius * radius and (dy, dx) > (0, 0))


@lru_cache
def path_offsets(offset: tuple[int, int]) -> tuple[tuple[int, int], ...]:
    """The pixels between a pixel and its neighbour, both included.

    They are those of the pair's bounding box that lie closer than 1 pixel to
    the line between the two, the neighbour first.

    Args:
        offset (tuple[int, int]): (dy, dx) of the neighbour.

    Returns:
        tuple[tuple[int, int], ...]: Their offsets from the pixel.
    """
    dy, dx = offset
    step = 1 if dx >= 0 else -1
    points = [(y, x) for y in range(dy + 1) for x in range(0, dx + step, step)
              if (dy * x - dx * y)**2 < dy * dy + dx * dx]
    return tuple(sorted(points, key=lambda point: -abs(point[0]) - abs(point[1])))


def pair_slices(size: tuple[int, int], offset: tuple[int, int],
                points: tuple[tuple[int, int], ...]) -> list[tuple]:
    """Where pixels at some offsets lie, for all pairs inside an image.

    Args:
        size (tuple[int, int]): (h, w) of the image.
        offset (tuple[int, int]): (dy, dx) from the first to the second pixel
            of the pairs.
        points (tuple[tuple[int, int], ...]): Offsets from the first pixel to
            the asked ones.

    Returns:
        list[tuple]: For each point an index of the last two dimensions; all
        select areas of one shape. It is empty where no pair fits.
    """
    height, width = size
    dy, dx = offset
    rows = range(max(0, height - dy))
    cols = range(max(0, -dx), max(max(0, -dx), width - max(0, dx)))
    return [(..., slice(rows.start + y, rows.stop + y),
             slice(cols.start + x, cols.stop + x)) for y, x in points]

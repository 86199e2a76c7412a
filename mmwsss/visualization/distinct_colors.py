# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Colours of classes that the eye tells apart."""

from collections.abc import Sequence
from functools import cache

import cv2
import numpy as np

_LEAST = 20.
"""Two colours nearer than this in CIE Lab look alike in a small picture."""
_DARKEST = 20.
"""Over a dark image, a colour of less lightness is not seen."""


def clear_palette(palette: Sequence[Sequence[int]]) -> list[tuple[int, int, int]]:
    """A palette whose foreground colours are easy to tell apart.

    Args:
        palette (Sequence): RGB colours, background first.

    Returns:
        list[tuple]: The palette itself, if it is clear; else background and
        :func:`distinct_colors`.
    """
    given = [tuple(int(value) for value in color) for color in palette]
    if len(given) < 2:
        return given  # type: ignore[return-value]
    lab = _to_lab(np.array(given[1:], np.uint8))
    gaps = np.linalg.norm(lab[:, None] - lab[None], axis=2)
    np.fill_diagonal(gaps, np.inf)
    if gaps.min() >= _LEAST and lab[:, 0].min() >= _DARKEST:
        return given  # type: ignore[return-value]
    return [given[0], *distinct_colors(len(given) - 1)]  # type: ignore[list-item]


@cache
def distinct_colors(number: int) -> tuple[tuple[int, int, int], ...]:
    """Colours each of which is as far as possible from those before it.

    Distances are those of CIE Lab; black, white and grey are taken, and very dark
    and very pale colours are left out.

    Args:
        number (int): How many.

    Returns:
        tuple[tuple[int, int, int]]: RGB, the same for each call; the first ones of
        a longer list are those of a shorter one.
    """
    steps = np.arange(0, 256, 15, dtype=np.uint8)
    grid = np.stack(np.meshgrid(steps, steps, steps, indexing='ij'), -1).reshape(-1, 3)
    lab = _to_lab(grid)
    usable = (lab[:, 0] > 25) & (lab[:, 0] < 90)
    grid, lab = grid[usable], lab[usable]
    taken = _to_lab(np.array([[0] * 3, [255] * 3, [128] * 3], np.uint8))
    gaps = np.linalg.norm(lab[:, None] - taken[None], axis=2).min(1)
    colors = []
    for _ in range(number):
        best = int(gaps.argmax())
        colors.append(tuple(int(value) for value in grid[best]))
        gaps = np.minimum(gaps, np.linalg.norm(lab - lab[best], axis=1))
    return tuple(colors)  # type: ignore[arg-type]


def _to_lab(colors: np.ndarray) -> np.ndarray:
    pixels = colors.reshape(1, -1, 3).astype(np.float32) / 255
    return cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)[0]

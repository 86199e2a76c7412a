# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor


class LabelGrid:
    """Which pixel of an image each cell of a smaller map stands for.

    The middle one of those it covers, as in nearest-neighbour resizing by
    Pillow. ``F.interpolate(mode='nearest')`` and OpenCV take the upper left one
    instead, which shifts labels by half a cell.

    Args:
        size (Sequence[int]): (H, W) of the image.
        cells (Sequence[int]): (h, w) of the map.
    """

    def __init__(self, size: Sequence[int], cells: Sequence[int]) -> None:
        self.size = tuple(size)
        self.points = [
            _pillow_nearest(side, count)
            for side, count in zip(size, cells, strict=True)
        ]

    def sample(self, image: Tensor) -> Tensor:
        """Reduce images (..., H, W) to the map's (..., h, w).

        Raises:
            ValueError: If the image is of another size.
        """
        if tuple(image.shape[-2:]) != self.size:
            raise ValueError(
                f'expected shape {self.size}, got {tuple(image.shape)}')
        rows, cols = (
            torch.from_numpy(points).to(image.device)
            for points in self.points)
        return image[..., rows[:, None], cols]

    def box(self, valid_box: Sequence[int] | None) -> tuple[slice, slice]:
        """Rows and columns of the cells whose pixel lies in a box.

        Args:
            valid_box (Sequence[int], optional): (x1, y1, x2, y2) in pixels, x2
                and y2 exclusive. Without it, all.

        Returns:
            tuple[slice, slice]: Either may be empty.
        """
        x1, y1, x2, y2 = valid_box or (0, 0, self.size[1], self.size[0])
        rows, cols = (
            slice(*np.searchsorted(points, (low, high)).tolist())
            for points, low, high in zip(
                self.points, (y1, x1), (y2, x2), strict=True))
        return rows, cols

    def inside(self, valid_box: Sequence[int] | None) -> Tensor:
        """Which cells :meth:`box` holds, bool of shape (h, w)."""
        mask = torch.zeros([len(points) for points in self.points],
                           dtype=torch.bool)
        mask[self.box(valid_box)] = True
        return mask


def _pillow_nearest(side: int, count: int) -> np.ndarray:
    """Pillow adds up steps, rounding errors included."""
    steps = np.full(count, side / count)
    steps[0] /= 2
    return np.floor(np.cumsum(steps)).astype(np.int64)

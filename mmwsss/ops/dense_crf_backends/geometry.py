# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Where features lie on the permutohedral lattice.

d features, divided by their deviations, are laid into the hyperplane of d + 1
coordinates that add up to 0. `Fast High-Dimensional Filtering Using the
Permutohedral Lattice
<https://graphics.stanford.edu/papers/permutohedral/>`_ (Adams, Baek and Davis,
Eurographics 2010), sections 2 and 3.
"""

import numpy as np

# Beyond it float32 tells less than 1/64 of the distance of vertices apart.
LARGEST = 2.**18


def embedding(deviations: tuple[float, ...]) -> np.ndarray:
    """What a unit of each feature adds to the coordinates.

    Args:
        deviations (tuple[float, ...]): Standard deviations of d features.

    Returns:
        ndarray: float64 of shape (d, d + 1).
    """
    num = len(deviations)
    rows = np.zeros((num, num + 1))
    for i, deviation in enumerate(deviations):
        # Makes a unit of variance as large as that of the blur.
        step = (num + 1) * np.sqrt(2 / 3 / ((i + 1) * (i + 2))) / deviation
        rows[i, :i + 1] = step
        rows[i, i + 1] = -(i + 1) * step
    return rows


def blur_height(num_features: int) -> float:
    """The factor that makes the blur's centre as high as the kernel's."""
    return 1 / (1 + 2.**-num_features)


def feature_ranges(height: int, width: int, deviations: tuple) -> list[int]:
    """The largest value of each feature: column and row, perhaps three colours."""
    return [width - 1, height - 1, 255, 255, 255][:len(deviations)]


def coordinate_ranges(rows: np.ndarray, highest: list[int]) -> np.ndarray:
    """The distance from the lowest to the highest value of each coordinate.

    Raises:
        ValueError: If float32 cannot tell the vertices apart.
    """
    ends = np.array(highest)[:, None] * rows
    above, below = ends.clip(min=0).sum(0), ends.clip(max=0).sum(0)
    if max(above.max(), -below.min()) > LARGEST:
        raise ValueError('the deviations of the kernels are too small for the '
                         'image: they make it more than a hundred thousand '
                         'deviations wide')
    return above - below


def key_steps(rows: np.ndarray, highest: list[int]) -> np.ndarray | None:
    """Factors that make one whole number of a vertex's coordinates.

    Args:
        rows (ndarray): From :func:`embedding`.
        highest (list[int]): From :func:`feature_ranges`.

    Returns:
        ndarray | None: int64 of shape (d + 1,); the last is 0, as the other
        coordinates say where a vertex is. None if 62 bits do not hold them.
    """
    # A simplex reaches d beyond its pixel, and a neighbour d + 1 further.
    spans = coordinate_ranges(rows, highest) + 4 * rows.shape[1] + 4
    steps, step = [], 1
    for span in spans[:-1]:
        steps.append(step)
        step *= int(span) + 1
    return np.array([*steps, 0]) if step < 2**62 else None

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


def coordinate_ends(rows: np.ndarray,
                    highest: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """The lowest and the highest value of each coordinate.

    Raises:
        ValueError: If float32 cannot tell the vertices apart.
    """
    ends = np.array(highest)[:, None] * rows
    above, below = ends.clip(min=0).sum(0), ends.clip(max=0).sum(0)
    if max(above.max(), -below.min()) > LARGEST:
        raise ValueError('the deviations of the kernels are too small for the '
                         'image: they make it more than a hundred thousand '
                         'deviations wide')
    return below, above


def key_steps(rows: np.ndarray,
              highest: list[int]) -> tuple[np.ndarray, int, int] | None:
    """Factors that make one whole number of a vertex's coordinates.

    The coordinates of a vertex, divided by d + 1, leave one remainder. Their
    quotients are what is packed.

    Args:
        rows (ndarray): From :func:`embedding`.
        highest (list[int]): From :func:`feature_ranges`.

    Returns:
        tuple | None: The factors, int64 of shape (d + 1,), the last of them 0,
        as the other coordinates say where a vertex is; what to add, so that no
        number is negative; how many bits hold the numbers. None if 62 do not.
    """
    below, above = coordinate_ends(rows, highest)
    size = len(below)
    # A simplex reaches 2 beyond the nearest vertex, and a neighbour 1 further.
    lowest = np.floor(below / size) - 4
    spans = np.ceil(above / size) + 4 - lowest + 1
    steps, step, origin = [], 1, 0
    for low, span in zip(lowest[:-1], spans[:-1], strict=True):
        steps.append(step)
        origin -= int(low) * step
        step *= int(span)
    bits = step.bit_length()
    return (np.array([*steps, 0]), origin, bits) if bits <= 62 else None

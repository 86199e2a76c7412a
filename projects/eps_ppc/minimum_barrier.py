# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import cv2
import numpy as np
from numba import njit

LONG_SIDE = 320
STEEPNESS = 10.


def barrier_distance(image: np.ndarray, passes: int = 3) -> np.ndarray:
    r"""How much a channel varies on the flattest way to the border.

    The minimum barrier distance, over the paths :math:`\Pi_i` from pixel i to the
    border, which raster scans approximate:

    .. math::
        d(i) = \min_{\pi \in \Pi_i} \left( \max_{k \in \pi} I_k -
        \min_{k \in \pi} I_k \right)

    Args:
        image (np.ndarray): One channel of shape (H, W).
        passes (int): Raster scans, forth and back in turn. Defaults to 3.

    Returns:
        np.ndarray: float64 of shape (H, W); 0 on the border.
    """
    image = np.ascontiguousarray(image, dtype=np.float64)
    distance = np.full(image.shape, np.inf)
    distance[[0, -1]] = 0
    distance[:, [0, -1]] = 0
    high, low = image.copy(), image.copy()
    for i in range(passes):
        turn = slice(None, None, -1 if i % 2 else 1)
        _scan(*(array[turn, turn] for array in (image, distance, high, low)))
    return distance


@njit
def _scan(image, distance, high, low):
    """Reach each pixel from the one above and the one at its left."""
    height, width = image.shape
    for y in range(1, height - 1):
        for x in range(1, width - 1):
            value = image[y, x]
            for dy, dx in ((1, 0), (0, 1)):
                top = max(high[y - dy, x - dx], value)
                bottom = min(low[y - dy, x - dx], value)
                if top - bottom < distance[y, x]:
                    distance[y, x] = top - bottom
                    high[y, x], low[y, x] = top, bottom


def saliency_map(image: np.ndarray) -> np.ndarray:
    """The saliency of an image.

    Args:
        image (np.ndarray): RGB, uint8 of shape (H, W, 3).

    Returns:
        np.ndarray: uint8 of shape (H, W), 255 is salient.
    """
    height, width = image.shape[:2]
    scale = min(LONG_SIDE / max(height, width), 1)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB)
    distance = sum(barrier_distance(lab[..., i]) for i in range(3))
    distance = cv2.GaussianBlur(distance, (0, 0), max(size) / 100)
    if not distance.max() > 0:
        return np.zeros((height, width), np.uint8)
    distance = distance / distance.max()
    threshold, _ = cv2.threshold(
        np.rint(distance * 255).astype(np.uint8), 0, 255, cv2.THRESH_OTSU)
    saliency = 1 / (1 + np.exp(-STEEPNESS * (distance - threshold / 255)))
    saliency = cv2.resize(saliency, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.rint(saliency * 255).astype(np.uint8)

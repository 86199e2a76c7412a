# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""The background's threshold of seeds, chosen without a mask.

What each criterion costs against the best threshold is in docs/en/results.md.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from mmwsss.structures import Seed

BINS = 100


class SeedStatistics:
    """What criteria know of seeds: their scores and how these divide colours.

    For each threshold ``t = 0, 0.01, ... 1`` it sums over images what lies above
    and below, where the score of a pixel is that of its strongest class.
    """

    def __init__(self) -> None:
        self.histogram = np.zeros(BINS)
        self.contrast = np.zeros(BINS + 1)
        self.images = 0

    def add_seed(self, seed: 'Seed', image: np.ndarray) -> None:
        """Count a seed, unless it has no class.

        Args:
            seed (Seed): The seed.
            image (np.ndarray): Its image, RGB uint8 ``(H, W, 3)``.
        """
        if not len(seed.labels):
            return
        scores = seed.scores.amax(0).numpy()
        small = cv2.resize(image, scores.shape[::-1], interpolation=cv2.INTER_AREA)
        self.add(scores, cv2.cvtColor(
            small.astype(np.float32) / 255, cv2.COLOR_RGB2LAB))

    def add(self, scores: np.ndarray, image: np.ndarray) -> None:
        """Count an image.

        Args:
            scores (np.ndarray): Of the strongest class, in [0, 1], ``(h, w)``.
            image (np.ndarray): Lab colours at the size of the scores, float
                ``(h, w, 3)``.
        """
        bins = np.minimum((scores * BINS).astype(int), BINS - 1).ravel()
        self.histogram += np.bincount(bins, minlength=BINS) / bins.size
        self.contrast += _contrast(bins, image.reshape(-1, 3))
        self.images += 1


def _contrast(bins: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """The share of the colours' variance that each threshold explains."""
    counts = np.bincount(bins, minlength=BINS).astype(float)
    sums = np.stack([np.bincount(bins, colour, BINS) for colour in colours.T], 1)
    above = np.concatenate([counts[::-1].cumsum()[::-1], [0]])
    sums_above = np.concatenate([sums[::-1].cumsum(0)[::-1], np.zeros((1, 3))])
    below = counts.sum() - above
    variance = colours.var(0).sum() * len(colours)
    if not variance:
        return np.zeros(BINS + 1)
    with np.errstate(divide='ignore', invalid='ignore'):
        gap = sums_above / above[:, None] - (sums.sum(0) - sums_above) / below[:, None]
        between = above * below / len(colours) * (gap**2).sum(1)
    return np.nan_to_num(between) / variance


def otsu(statistics: SeedStatistics) -> float:
    """Otsu's threshold of the scores of all images together.

    It divides them into two groups of the least variance (Otsu, 1979).
    """
    share = statistics.histogram / max(statistics.images, 1)
    centres = (np.arange(BINS) + 0.5) / BINS
    below = share.cumsum()[:-1]
    mean_below = (share * centres).cumsum()[:-1]
    mean = (share * centres).sum()
    with np.errstate(divide='ignore', invalid='ignore'):
        between = (mean * below - mean_below)**2 / (below * (1 - below))
    return _middle(np.nan_to_num(between), 1)


def mean_score(statistics: SeedStatistics) -> float:
    """The mean score of all pixels."""
    share = statistics.histogram / max(statistics.images, 1)
    return float((share * (np.arange(BINS) + 0.5) / BINS).sum())


def colour_contrast(statistics: SeedStatistics) -> float:
    """The threshold whose two sides differ most in colour."""
    return _middle(statistics.contrast, 0)


def _middle(values: np.ndarray, first: int) -> float:
    """The threshold in the middle of those of the highest value."""
    best = np.flatnonzero(values >= values.max() - 1e-9)
    return float((best[len(best) // 2] + first) / BINS)


CRITERIA: dict[str, Callable[[SeedStatistics], float]] = dict(
    otsu=otsu, mean_score=mean_score, colour_contrast=colour_contrast)
"""Name -> from statistics to a threshold."""

DEFAULT_CRITERION = 'colour_contrast'

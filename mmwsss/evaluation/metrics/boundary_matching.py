# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""How many pixels of two boundary maps belong together."""

import numpy as np
from scipy.ndimage import distance_transform_edt
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_bipartite_matching
from scipy.spatial import cKDTree


def thin_boundary(boundary: np.ndarray) -> np.ndarray:
    """Thin a boundary map to lines one pixel wide (as Matlab's ``bwmorph``).

    Args:
        boundary (np.ndarray): bool of shape (H, W).

    Returns:
        np.ndarray: bool of shape (H, W).

    Raises:
        ImportError: If scikit-image is not installed; says how to.
    """
    try:
        from skimage.morphology import thin
    except ImportError as error:
        raise ImportError('boundaries are thinned by scikit-image: '
                          f'pip install scikit-image ({error})') from error
    return thin(boundary)


def boundary_of_mask(mask: np.ndarray, ignore_index: int = 255) -> np.ndarray:
    """Where the classes of a mask meet.

    A pixel is boundary if its right, lower or lower right neighbour is of
    another class. Ignored pixels first take the class of the nearest pixel that
    has one, since VOC marks the boundaries themselves as ignored.

    Args:
        mask (np.ndarray): Class ids of shape (H, W).
        ignore_index (int): The id without class. Defaults to 255.

    Returns:
        np.ndarray: bool of shape (H, W).
    """
    ignored = mask == ignore_index
    boundary = np.zeros(mask.shape, dtype=bool)
    if ignored.all():
        return boundary
    if ignored.any():
        nearest = distance_transform_edt(
            ignored, return_distances=False, return_indices=True)
        mask = mask[tuple(nearest)]
    boundary[:, :-1] |= mask[:, :-1] != mask[:, 1:]
    boundary[:-1] |= mask[:-1] != mask[1:]
    boundary[:-1, :-1] |= mask[:-1, :-1] != mask[1:, 1:]
    return boundary


def match_exactly(pred: np.ndarray, gt: np.ndarray,
                  tolerance: float) -> tuple[int, int]:
    """Match pixels one to one.

    The largest number of pairs no further apart than the tolerance, each pixel
    in one pair at most. The Berkeley benchmark looks for the cheapest matching,
    where leaving out a pixel costs a hundred times the tolerance: it has this
    number of pairs, too.

    Args:
        pred (np.ndarray): Predicted boundary, bool of shape (H, W).
        gt (np.ndarray): True boundary, bool of shape (H, W).
        tolerance (float): Distance in pixels, inclusive.

    Returns:
        tuple[int, int]: Matched predicted and matched true pixels (equal).
    """
    points, true_points = np.argwhere(pred), np.argwhere(gt)
    if not len(points) or not len(true_points):
        return 0, 0
    pairs = cKDTree(points).sparse_distance_matrix(
        cKDTree(true_points), tolerance, output_type='ndarray')
    graph = csr_matrix(
        (np.ones(len(pairs), dtype=np.uint8), (pairs['i'], pairs['j'])),
        shape=(len(points), len(true_points)))
    partner = maximum_bipartite_matching(graph, perm_type='column')
    matched = int((partner >= 0).sum())
    return matched, matched


def match_by_distance(pred: np.ndarray, gt: np.ndarray,
                      tolerance: float) -> tuple[int, int]:
    """Count pixels that have any partner within the tolerance.

    A fast approximation: many pixels may share one partner, so it is at least
    what :func:`match_exactly` counts.

    Args:
        pred (np.ndarray): Predicted boundary, bool of shape (H, W).
        gt (np.ndarray): True boundary, bool of shape (H, W).
        tolerance (float): Distance in pixels, inclusive.

    Returns:
        tuple[int, int]: Predicted pixels near a true one, and true pixels near
        a predicted one.
    """
    if not pred.any() or not gt.any():
        return 0, 0
    near_gt = distance_transform_edt(~gt) <= tolerance
    near_pred = distance_transform_edt(~pred) <= tolerance
    return int((pred & near_gt).sum()), int((gt & near_pred).sum())


def best_f_measure(thresholds: np.ndarray, recall: np.ndarray,
                   precision: np.ndarray) -> tuple[float, float, float, float]:
    """The greatest F between thresholds, as the Berkeley benchmark finds it.

    Recall and precision are interpolated linearly between neighbouring
    thresholds, at 100 places.

    Args:
        thresholds (np.ndarray): Of shape (T,), ascending.
        recall (np.ndarray): Of shape (T,).
        precision (np.ndarray): Of shape (T,).

    Returns:
        tuple[float, float, float, float]: Threshold, recall, precision and F.
    """
    rows = np.stack([thresholds, recall, precision], axis=1)
    if len(rows) > 1:
        share = np.linspace(0, 1, 100)[None, :, None]
        rows = (rows[1:, None] * share + rows[:-1, None] *
                (1 - share)).reshape(-1, 3)
    f = f_measure(rows[:, 1], rows[:, 2])
    best = int(f.argmax())
    return (*rows[best].tolist(), float(f[best]))


def f_measure(recall: np.ndarray, precision: np.ndarray) -> np.ndarray:
    """Harmonic mean of recall and precision, 0 where both are."""
    total = recall + precision
    return 2 * recall * precision / np.where(total == 0, 1, total)

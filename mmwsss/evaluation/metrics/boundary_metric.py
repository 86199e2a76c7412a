# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from collections.abc import Sequence

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from mmseg.registry import METRICS

from mmwsss.datasets.image_ids import image_id

from .boundary_matching import (
    best_f_measure,
    boundary_of_mask,
    f_measure,
    match_by_distance,
    match_exactly,
    thin_boundary,
)

_MATCHERS = dict(exact=match_exactly, distance=match_by_distance)


@METRICS.register_module()
class BoundaryMetric(BaseMetric):
    """Maximal F of class-agnostic boundaries at one threshold for all images.

    A boundary map is cut at each threshold, thinned, and matched with the true
    boundary pixel by pixel; a pair may lie no further apart than a fraction of
    the image's diagonal. Matches are added up over all images; ``MF`` is the
    greatest F over the thresholds (ODS), in per cent, and ``threshold``,
    ``precision`` and ``recall`` are those of it. `Semantic Contours from
    Inverse Detectors <https://doi.org/10.1109/ICCV.2011.6126343>`_ (SBD,
    Hariharan et al., ICCV 2011), in the protocol of the Berkeley benchmark
    (Martin et al., PAMI 2004).

    Predictions hold the map as ``pred_boundary``, of shape (1, H, W) in
    [0, 1]; the truth is ``gt_sem_seg``.

    Args:
        truth (str): ``'boundary'``: masks of ``tools/dataset_converters/
            sbd.py``, in which boundaries are 1; ``'mask'``: class ids, whose
            boundaries are taken. Defaults to ``'boundary'``.
        matching (str): ``'exact'``: one to one, seconds an image;
            ``'distance'``: a fast approximation by distance transforms, in
            which many pixels may share one partner. Its scores are higher and
            named ``MF_approx`` etc. Defaults to ``'exact'``.
        num_thresholds (int): T; the thresholds are k / (T + 1). Defaults to
            99.
        max_dist (float): Tolerance as a fraction of the image's diagonal: 0.02
            for SBD; 0.0075 in BSDS. Defaults to 0.02.
        thin (bool): Whether to thin predictions. Defaults to True.
        margin (int): Width of the image's border that does not count, in
            pixels. Defaults to 0.
        **kwargs: Arguments of :class:`mmengine.evaluator.BaseMetric`.

    Raises:
        ValueError: If an argument is not as above.
    """

    default_prefix = 'boundary'

    def __init__(self,
                 truth: str = 'boundary',
                 matching: str = 'exact',
                 num_thresholds: int = 99,
                 max_dist: float = 0.02,
                 thin: bool = True,
                 margin: int = 0,
                 **kwargs) -> None:
        super().__init__(**kwargs)
        if truth not in ('boundary', 'mask'):
            raise ValueError(
                f"truth must be 'boundary' or 'mask', got {truth!r}")
        if matching not in _MATCHERS:
            raise ValueError(
                f"matching must be 'exact' or 'distance', got {matching!r}")
        if num_thresholds < 1 or max_dist <= 0 or margin < 0:
            raise ValueError(
                'expected num_thresholds >= 1, max_dist > 0 and margin >= 0, '
                f'got {num_thresholds}, {max_dist} and {margin}')
        self.truth = truth
        self.matching = matching
        self.thresholds = np.arange(1, num_thresholds + 1) / (
            num_thresholds + 1)
        self.max_dist = max_dist
        self.thin = thin
        self.margin = margin

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Count the matches of a batch.

        Args:
            data_batch (dict): Unused; part of mmengine's interface.
            data_samples (Sequence[dict]): Predicted samples as dicts.

        Raises:
            ValueError: Naming the image, if it lacks a map, or the map is of
                another size than the truth or leaves [0, 1].
        """
        for sample in data_samples:
            name = image_id(sample)
            for field in ('pred_boundary', 'gt_sem_seg'):
                if field not in sample:
                    raise ValueError(f'{name} has no {field}')
            pred = sample['pred_boundary']['data'].squeeze(0).cpu().numpy()
            gt = sample['gt_sem_seg']['data'].squeeze(0).cpu().numpy()
            if pred.shape != gt.shape:
                raise ValueError(f'{name}: the boundary map is of shape '
                                 f'{pred.shape}, the truth of {gt.shape}')
            # NaN fails this, too.
            if not (pred.min() >= 0 and pred.max() <= 1):
                raise ValueError(
                    f'{name}: a boundary map must lie in [0, 1], got '
                    f'[{pred.min():.4g}, {pred.max():.4g}]')
            self.results.append(self.count(pred, gt))

    def count(self, pred: np.ndarray, gt: np.ndarray) -> np.ndarray:
        """Count the matches of one image.

        Args:
            pred (np.ndarray): Boundary map in [0, 1] of shape (H, W).
            gt (np.ndarray): The truth of shape (H, W), integers.

        Returns:
            np.ndarray: int64 of shape (T, 4): matched and all predicted
            pixels, matched and all true ones.
        """
        boundary = boundary_of_mask(gt) if self.truth == 'mask' else gt == 1
        inside = np.zeros(gt.shape, dtype=bool)
        height, width = gt.shape
        inside[self.margin:height - self.margin,
               self.margin:width - self.margin] = True
        boundary &= inside
        tolerance = self.max_dist * float(np.hypot(*gt.shape))
        counts = np.zeros((len(self.thresholds), 4), dtype=np.int64)
        counts[:, 3] = boundary.sum()
        last = None
        for row, threshold in zip(counts, self.thresholds, strict=True):
            found = (pred >= threshold) & inside
            if last is not None and np.array_equal(found, last[0]):
                row[:] = last[1]
                continue
            line = thin_boundary(found) if self.thin else found
            matched_pred, matched_gt = _MATCHERS[self.matching](
                line, boundary, tolerance)
            row[:3] = matched_pred, line.sum(), matched_gt
            last = found, row
        return counts

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Add up all images and find the best threshold."""
        total = np.sum(results, axis=0)
        precision = total[:, 0] / np.maximum(total[:, 1], 1)
        recall = total[:, 2] / np.maximum(total[:, 3], 1)
        threshold, recall, precision, best = best_f_measure(
            self.thresholds, recall, precision)
        # One threshold an image, for comparison.
        each = np.stack(results)
        own = f_measure(each[..., 2] / np.maximum(each[..., 3], 1),
                        each[..., 0] / np.maximum(each[..., 1], 1)).argmax(1)
        chosen = each[np.arange(len(each)), own].sum(0)
        ois = f_measure(chosen[2] / max(chosen[3], 1),
                        chosen[0] / max(chosen[1], 1))
        suffix = '' if self.matching == 'exact' else '_approx'
        print_log(
            f'Protocol: {len(results)} images, truth {self.truth}, '
            f'{self.matching} matching'
            f'{" (an approximation)" if suffix else ""} within '
            f'{self.max_dist:g} of the diagonal, {len(self.thresholds)} '
            f'thresholds, {"thinned" if self.thin else "not thinned"}, margin '
            f'{self.margin}', logger='current')
        return {
            f'MF{suffix}': 100 * best,
            f'OIS{suffix}': 100 * float(ois),
            f'precision{suffix}': 100 * precision,
            f'recall{suffix}': 100 * recall,
            'threshold': threshold
        }

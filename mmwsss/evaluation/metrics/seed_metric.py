# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmengine.logging import print_log
from mmpretrain.evaluation import AveragePrecision
from mmseg.registry import METRICS
from torch import Tensor

from mmwsss.ops import integrate_histogram, mask_confusion, seed_histogram
from mmwsss.utils.renamed import renamed_arguments

from .confusion_metric import ConfusionMetric
from .confusion_scores import SCORE_NAMES, confusion_scores

SWEEP = tuple(step / 100 for step in range(61))


@METRICS.register_module()
class SeedMetric(ConfusionMetric):
    """How well seeds cover the objects, over a sweep of thresholds.

    A seed's label at threshold ``t`` is the arg-max over ``t`` and its
    scores. All thresholds are counted in one pass; see
    :func:`mmwsss.ops.seed_histogram`. Papers report the best of a sweep on
    the training images, where the choice belongs; elsewhere give the
    threshold that was best there. Where the best one is the last of the sweep, the
    sweep goes on at its step up to 1, see ``extend``.

    Scores: ``mIoU`` and its ``threshold``, ``precision``, ``recall``, ``F1``
    (from the means over classes), ``FPR``, ``FNR`` (object or not),
    ``object_IoU`` (objects of any class), ``class_accuracy`` (of objects found as
    such), and ``tag_mAP`` where predictions hold ``pred_label_scores``. All in per
    cent but the threshold. The file ``out_file`` has them at every threshold.

    Args:
        thresholds (Sequence[float]): The sweep. Defaults to 0.00, 0.01, ...,
            0.60.
        bg_thr (float, optional): Report at this threshold rather than at
            the best.
        extend (bool): Whether the sweep goes on where its last threshold is the
            best. Defaults to True.
        own_background (bool): Whether seeds compete with a background map of
            their own, rather than with a constant; then there is nothing to
            sweep, and no ``threshold``. Defaults to False.
        **kwargs: Arguments of :class:`ConfusionMetric`.

    Raises:
        ValueError: If the sweep is empty, or there are two backgrounds.
    """

    default_prefix = 'seed'

    @renamed_arguments(threshold='bg_thr')
    def __init__(self,
                 thresholds: Sequence[float] = SWEEP,
                 bg_thr: float | None = None,
                 extend: bool = True,
                 own_background: bool = False,
                 **kwargs) -> None:
        super().__init__(**kwargs)
        if own_background and bg_thr is not None:
            raise ValueError('give bg_thr or own_background, not both')
        self.own_background = own_background
        self._warned = False
        if own_background:
            thresholds = (0., )
        self.thresholds = sorted({float(one) for one in thresholds})
        if not self.thresholds:
            raise ValueError('thresholds must not be empty')
        self.bg_thr = bg_thr
        if bg_thr is not None and bg_thr not in self.thresholds:
            self.thresholds = sorted([*self.thresholds, float(bg_thr)])
        self.beyond = [] if bg_thr is not None or not extend else _beyond(
            self.thresholds)

    def count(self, sample: dict, gt: Tensor) -> Tensor:
        """Count one image for all thresholds: its histogram (C, C, T + 1)."""
        seed = sample.get('full_seed') or sample.get('seed')
        if seed is None:
            raise ValueError('the prediction holds neither full_seed nor seed;'
                             ' predict with WeakSegmentor or CAMTTAModel')
        if self.own_background:
            return self._count_mask(seed.to_mask(), gt)
        if seed.background is not None and not self._warned:
            self._warned = True
            print_log(
                'Seeds have a background of their own, but are scored against '
                'constants; SeedMetric(own_background=True) scores them by it.',
                logger='current', level=logging.WARNING)
        return seed_histogram(seed.upsample(), seed.labels, gt,
                              [*self.thresholds, *self.beyond], self.num_classes)

    def _count_mask(self, pred: Tensor, gt: Tensor) -> Tensor:
        """As the histogram of a seed that one threshold, 0, makes this mask."""
        confusion = mask_confusion(pred, gt, self.num_classes)
        histogram = torch.stack([torch.zeros_like(confusion), confusion], dim=-1)
        histogram[:, 0] = histogram[:, 0].flip(-1)
        return histogram

    def record(self, sample: dict) -> dict:
        """Keep the image-level scores and labels."""
        scores = sample.get('pred_label_scores')
        labels = sample.get('tags')
        if scores is None or labels is None:
            return {}
        return dict(
            scores=scores.float().cpu().numpy(),
            labels=np.asarray(labels)[1:].astype(np.uint8))

    def summarize(self, counts: Tensor | None,
                  records: list[dict]) -> tuple[dict, dict]:
        """Scores at the chosen threshold, details at all."""
        result: dict[str, float] = {}
        details: dict[str, Any] = dict(thresholds=self.thresholds)
        if counts is not None and counts.any():
            confusion = integrate_histogram(counts)
            scores = confusion_scores(confusion)
            sweep = self.thresholds
            best = self._choose(scores['mIoU'][:len(sweep)])
            if self.beyond and scores['mIoU'][len(sweep) - 1] >= scores['mIoU'][best]:
                sweep = [*sweep, *self.beyond]
                best = self._choose(scores['mIoU'])
            details['thresholds'] = sweep
            for name, source in SCORE_NAMES.items():
                result[name] = float(scores[source][best])
                details[name] = scores[source][:len(sweep)].tolist()
            if not self.own_background:
                result['threshold'] = sweep[best]
            details['threshold_rule'] = self._rule(best, sweep)
            at_best = {name: value[best] for name, value in scores.items()}
            details.update(self.describe_classes(
                at_best, confusion[best],
                'seeds against their own background' if self.own_background else
                f'seeds at threshold {sweep[best]:g}'))
        tag_map = _tag_map([one for one in records if one])
        if tag_map is not None:
            result['tag_mAP'] = tag_map
        return result, details

    def _choose(self, miou: np.ndarray) -> int:
        if self.bg_thr is not None:
            return self.thresholds.index(self.bg_thr)
        return int(np.nanargmax(miou))

    def _rule(self, best: int, sweep: list[float]) -> str:
        if self.own_background:
            return 'none (a background map of their own)'
        if self.bg_thr is not None:
            return f'{self.bg_thr:g} (given)'
        return (f'{sweep[best]:g} (best on this split of {len(sweep)} in '
                f'{sweep[0]:g}..{sweep[-1]:g})')


def _beyond(thresholds: list[float]) -> list[float]:
    """Where a sweep of two or more goes on, below 1."""
    if len(thresholds) < 2:
        return []
    last, step = thresholds[-1], thresholds[-1] - thresholds[-2]
    count = int((1 - last) / step - 1e-6)
    return [round(last + step * number, 9) for number in range(1, count + 1)]


def _tag_map(records: list[dict]) -> float | None:
    """Mean average precision over the classes that occur, in per cent."""
    if not records:
        return None
    scores = torch.from_numpy(np.stack([one['scores'] for one in records]))
    labels = torch.from_numpy(np.stack([one['labels'] for one in records]))
    occurs = labels.sum(0) > 0
    if not occurs.any():
        return None
    precision = AveragePrecision.calculate(scores, labels.int(), average=None)
    return float(precision[occurs].mean())

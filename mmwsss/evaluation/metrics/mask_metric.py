# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from mmseg.registry import METRICS
from torch import Tensor

from mmwsss.ops import mask_confusion

from .confusion_metric import ConfusionMetric
from .confusion_scores import SCORE_NAMES, confusion_scores


@METRICS.register_module()
class MaskMetric(ConfusionMetric):
    """Scores of label maps: pseudo labels or predictions.

    The mIoU is that of mmseg's ``IoUMetric``, from integer counts, with what
    papers on weak supervision report beside it: ``precision``, ``recall`` and
    ``F1`` (from the means over classes), ``FPR`` and ``FNR`` (object or not), and
    ``accuracy``; ``object_IoU`` and ``class_accuracy`` tell where objects are from
    which they are. All in per cent.

    Args:
        pred_ignore (str): What a predicted 255 is, ``'background'`` or
            ``'ignore'``; the two are not comparable. Defaults to
            ``'background'``.
        **kwargs: Arguments of :class:`ConfusionMetric`.
    """

    default_prefix = 'mask'

    def __init__(self, pred_ignore: str = 'background', **kwargs) -> None:
        super().__init__(**kwargs)
        self.pred_ignore = pred_ignore

    def count(self, sample: dict, gt: Tensor) -> Tensor:
        """Count one image: (C, C)."""
        pred = sample['pred_sem_seg']['data'].squeeze(0)
        return mask_confusion(pred, gt, self.num_classes, self.pred_ignore)

    def summarize(self, counts: Tensor | None,
                  records: list[dict]) -> tuple[dict, dict]:
        """Scores of the total."""
        details = dict(pred_ignore=self.pred_ignore)
        if counts is None or not counts.any():
            return {}, details
        scores = confusion_scores(counts)
        details.update(self.describe_classes(scores, counts))
        result = {name: float(scores[source])
                  for name, source in SCORE_NAMES.items()}
        return dict(result, accuracy=float(scores['accuracy'])), details

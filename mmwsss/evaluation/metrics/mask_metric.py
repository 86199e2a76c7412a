# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from mmengine.logging import print_log
from mmseg.registry import METRICS
from torch import Tensor

from mmwsss.ops import mask_confusion

from .confusion_metric import ConfusionMetric
from .confusion_scores import class_table, confusion_scores


@METRICS.register_module()
class MaskMetric(ConfusionMetric):
    """Scores of label maps: pseudo labels or predictions.

    The mIoU is that of mmseg's ``IoUMetric``, from integer counts, with what
    papers on weak supervision report beside it: ``precision``, ``recall`` and
    ``F1`` (from the means over classes), ``FPR`` and ``FNR`` (object or not),
    ``accuracy``. All in per cent.

    Args:
        pred_ignore (str): What a predicted 255 is, ``'background'`` or
            ``'ignore'``; the two are not comparable. Defaults to
            ``'background'``.
        print_classes (bool): Whether to print the per-class table. Defaults
            to True.
        **kwargs: Arguments of :class:`ConfusionMetric`.
    """

    default_prefix = 'mask'

    def __init__(self,
                 pred_ignore: str = 'background',
                 print_classes: bool = True,
                 **kwargs) -> None:
        super().__init__(**kwargs)
        self.pred_ignore = pred_ignore
        self.print_classes = print_classes

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
        classes = self.dataset_meta['classes']
        if self.print_classes:
            print_log('\n' + class_table(scores, classes), logger='current')
        details['class_IoU'] = dict(
            zip(classes, scores['IoU'].tolist(), strict=True))
        details['confusion'] = counts.tolist()
        names = dict(
            mIoU='mIoU', precision='mPrecision', recall='mRecall', F1='F1',
            FPR='FPR', FNR='FNR', accuracy='accuracy')
        return {name: float(scores[source])
                for name, source in names.items()}, details

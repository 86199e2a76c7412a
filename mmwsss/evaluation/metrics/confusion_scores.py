# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""From confusion matrices to the scores that papers print."""

import numpy as np
from prettytable import PrettyTable
from torch import Tensor

SCORE_NAMES = dict(
    mIoU='mIoU', precision='mPrecision', recall='mRecall', F1='F1', FPR='FPR',
    FNR='FNR', object_IoU='object_IoU', class_accuracy='class_accuracy')
"""What metrics report -> the name in :func:`confusion_scores`."""


def confusion_scores(confusion: Tensor | np.ndarray) -> dict[str, np.ndarray]:
    """Scores of one or many confusion matrices over a whole dataset.

    Args:
        confusion (Tensor | np.ndarray): Counts of shape (..., C, C), rows are
            the truth, columns the prediction, class 0 is background.

    Returns:
        dict[str, np.ndarray]: In per cent. Of shape (..., C):

        - ``IoU``: TP / (TP + FP + FN); NaN for a class that neither occurs
          nor is predicted.
        - ``precision``: TP / (TP + FP); 0 for a class that occurs and is
          never predicted, else NaN without prediction.
        - ``recall``: TP / (TP + FN); NaN for a class that does not occur.

        Of shape (...):

        - ``mIoU``, ``mPrecision``, ``mRecall``: means over all classes,
          background included, without NaN.
        - ``F1``: harmonic mean of ``mPrecision`` and ``mRecall``, as in
          ESOL (not the mean of per-class F1).
        - ``FPR``: background predicted as any object / background.
        - ``FNR``: objects predicted as background / objects.
        - ``object_IoU``: IoU of objects of any class.
        - ``class_accuracy``: of object pixels predicted as objects, those of
          the right class.
        - ``accuracy``: correct pixels / all pixels.
    """
    confusion = np.asarray(confusion).astype(np.float64)
    correct = np.diagonal(confusion, axis1=-2, axis2=-1)
    truth = confusion.sum(-1)
    predicted = confusion.sum(-2)
    precision = _ratio(correct, predicted)
    scores = dict(
        IoU=_ratio(correct, truth + predicted - correct),
        precision=np.where((predicted == 0) & (truth > 0), 0., precision),
        recall=_ratio(correct, truth))
    mean_precision = _nan_mean(scores['precision'])
    mean_recall = _nan_mean(scores['recall'])
    objects = confusion[..., 1:, :].sum((-2, -1))
    found = confusion[..., 1:, 1:].sum((-2, -1))
    scores.update(
        mIoU=_nan_mean(scores['IoU']),
        mPrecision=mean_precision,
        mRecall=mean_recall,
        F1=_ratio(2 * mean_precision * mean_recall,
                  mean_precision + mean_recall),
        FPR=_ratio(confusion[..., 0, 1:].sum(-1), truth[..., 0]),
        FNR=_ratio(confusion[..., 1:, 0].sum(-1), objects),
        object_IoU=_ratio(found, objects + confusion[..., 0, 1:].sum(-1)),
        class_accuracy=_ratio(correct[..., 1:].sum(-1), found),
        accuracy=_ratio(correct.sum(-1), truth.sum(-1)))
    return {name: value * 100 for name, value in scores.items()}


def class_table(scores: dict[str, np.ndarray], classes: list[str]) -> str:
    """The per-class scores of one matrix as a printed table."""
    table = PrettyTable()
    table.add_column('Class', list(classes))
    for name in ('IoU', 'precision', 'recall'):
        table.add_column(name, np.round(scores[name], 2).tolist())
    return table.get_string()


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    with np.errstate(divide='ignore', invalid='ignore'):
        return np.where(whole > 0, part / whole, np.nan)


def _nan_mean(values: np.ndarray) -> np.ndarray:
    known = ~np.isnan(values)
    return _ratio(np.where(known, values, 0.).sum(-1), known.sum(-1))

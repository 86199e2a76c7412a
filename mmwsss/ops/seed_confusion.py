# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Confusion matrices in exact integer arithmetic."""

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor

IGNORE = 255


def seed_confusion(scores: Tensor, labels: Tensor | Sequence[int], gt: Tensor,
                   thresholds: Tensor | Sequence[float],
                   num_classes: int) -> Tensor:
    """Confusion of one seed with its mask at many thresholds in one pass.

    At threshold ``t`` the label of a pixel is the arg-max over
    ``[t, scores_1, ..., scores_K]``, the first of equals: ties with ``t`` are
    background. To count a dataset, add up :func:`seed_histogram` instead.

    Args:
        scores (Tensor): Foreground scores of shape (K, H, W) in [0, 1], at
            the size of ``gt``. K may be 0. Half precision is compared in
            single precision.
        labels (Tensor | Sequence[int]): The K class ids in
            1..``num_classes - 1``, each once.
        gt (Tensor): True class ids of shape (H, W), integers; 255 is left
            out.
        thresholds (Tensor | Sequence[float]): T thresholds in any order,
            rounded to the type of ``scores``.
        num_classes (int): Number of classes C with background, at most 255.

    Returns:
        Tensor: Counts of shape (T, C, C), int64, on the device of ``scores``;
        rows are the truth, columns the prediction.

    Raises:
        ValueError: If a shape or range is not as above.
    """
    confusion = integrate_histogram(
        seed_histogram(scores, labels, gt, thresholds, num_classes))
    # A list would become single precision without the detour.
    order = torch.as_tensor(thresholds, dtype=torch.float64).argsort()
    return confusion[order.argsort().to(confusion.device)]


def seed_histogram(scores: Tensor, labels: Tensor | Sequence[int], gt: Tensor,
                   thresholds: Tensor | Sequence[float],
                   num_classes: int) -> Tensor:
    """Where the pixels of one seed lie between thresholds.

    Only the strongest score of a pixel can win, so each pixel falls between
    two thresholds: below it is foreground, from it on background. This counts
    pixels by truth, strongest class and interval. Histograms of many images are
    added up and then turned into confusions by :func:`integrate_histogram`,
    once, instead of T matrices an image.

    Args:
        scores (Tensor): As in :func:`seed_confusion`, like all others.
        labels (Tensor | Sequence[int]): The class ids.
        gt (Tensor): The mask.
        thresholds (Tensor | Sequence[float]): T thresholds.
        num_classes (int): Number of classes C.

    Returns:
        Tensor: Counts of shape (C, C, T + 1), int64: the pixels of a true class
        whose strongest class exceeds exactly so many thresholds, in column 0
        those of a seed without classes.

    Raises:
        ValueError: If a shape or range is not as in :func:`seed_confusion`.
    """
    _check_gt(gt, num_classes)
    if scores.ndim != 3 or scores.shape[1:] != gt.shape:
        raise ValueError(f'scores must have the shape (K, {gt.shape[0]}, '
                         f'{gt.shape[1]}) of gt, got {tuple(scores.shape)}')
    if scores.dtype not in (torch.float32, torch.float64):
        scores = scores.float()
    device = scores.device
    labels = torch.as_tensor(labels, device=device)
    if labels.numel() == 0:
        labels = labels.reshape(-1).long()
    if labels.is_floating_point() or labels.shape != scores.shape[:1]:
        raise ValueError(f'labels must be {len(scores)} integers, one for each'
                         f' map of scores, got {labels.tolist()}')
    labels = labels.long()
    if len(labels) and (labels.min() < 1 or labels.max() >= num_classes
                        or len(labels.unique()) != len(labels)):
        raise ValueError('labels must be different class ids in '
                         f'1..{num_classes - 1}, got {labels.tolist()}')
    if scores.numel():
        low, high = scores.aminmax()
        # Sums of rounded weights exceed 1 by a hair. NaN fails this, too.
        if not (low >= 0 and high <= 1 + 1e-5):
            raise ValueError(f'scores must lie in [0, 1], got [{low:.4g}, '
                             f'{high:.4g}]')
    # A list would become single precision without the detour.
    thresholds = torch.as_tensor(
        thresholds, dtype=torch.float64).to(device, scores.dtype)
    if thresholds.ndim != 1 or not thresholds.isfinite().all():
        raise ValueError('thresholds must be a list of finite numbers, got '
                         f'{thresholds.tolist()}')

    # What is left out is counted, too, as one more class: that costs less than
    # to pick the other pixels.
    truth = gt.to(device).long()
    truth = truth.masked_fill(truth == IGNORE, num_classes).flatten()
    intervals = len(thresholds) + 1
    histogram = truth.new_zeros((num_classes, num_classes, intervals))
    if not len(scores):
        histogram[:, 0, 0] = torch.bincount(
            truth, minlength=num_classes + 1)[:num_classes]
        return histogram
    best, winner = scores.flatten(1).max(0)
    # The number of thresholds below the best score.
    below = torch.searchsorted(thresholds.sort().values, best)
    shape = num_classes + 1, len(labels), intervals
    counts = torch.bincount(
        (truth * len(labels) + winner) * intervals + below,
        minlength=prod(shape))
    histogram[:, labels] = counts.view(shape)[:num_classes]
    return histogram


def integrate_histogram(histogram: Tensor) -> Tensor:
    """Confusions at each threshold from histograms of pixels.

    Args:
        histogram (Tensor): One of :func:`seed_histogram`, or a sum of them with
            the same thresholds: (C, C, T + 1).

    Returns:
        Tensor: Counts of shape (T, C, C), int64, in the order of growing
        thresholds; rows are the truth, columns the prediction.
    """
    # A pixel that exceeds n thresholds is foreground at the first n of them.
    foreground = histogram.flip(-1).cumsum(-1).flip(-1)[..., 1:]
    confusion = foreground.permute(2, 0, 1).contiguous()
    confusion[:, :, 0] = (
        histogram.sum((1, 2)) - confusion[:, :, 1:].sum(-1))
    return confusion


def mask_confusion(pred: Tensor, gt: Tensor, num_classes: int,
                   pred_ignore: str = 'background') -> Tensor:
    """Confusion of one label map with its mask.

    Args:
        pred (Tensor): Predicted class ids of shape (H, W), integers; 255 is
            undecided.
        gt (Tensor): True class ids of shape (H, W), integers; 255 is left
            out.
        num_classes (int): Number of classes C with background, at most 255.
        pred_ignore (str): What an undecided pixel is: ``'background'`` (IRN)
            or ``'ignore'``, left out (AFA). The two are not comparable.
            Defaults to ``'background'``.

    Returns:
        Tensor: Counts of shape (C, C), int64, on the device of ``pred``; rows
        are the truth, columns the prediction.

    Raises:
        ValueError: If a shape or range is not as above.
    """
    _check_gt(gt, num_classes)
    if pred_ignore not in ('background', 'ignore'):
        raise ValueError("pred_ignore must be 'background' or 'ignore', got "
                         f'{pred_ignore!r}')
    if pred.shape != gt.shape or pred.is_floating_point():
        raise ValueError(f'pred must hold integers of the shape '
                         f'{tuple(gt.shape)} of gt, got {tuple(pred.shape)} '
                         f'of {pred.dtype}')
    pred = pred.long()
    gt = gt.to(pred.device).long()
    undecided = pred == IGNORE
    outside = (~undecided) & ((pred < 0) | (pred >= num_classes))
    if outside.any():
        raise ValueError(f'pred must lie in 0..{num_classes - 1} or be '
                         f'{IGNORE}, got {int(pred[outside][0])}')
    valid = gt != IGNORE
    if pred_ignore == 'ignore':
        valid = valid & ~undecided
    pred = pred.masked_fill(undecided, 0)
    cells = gt[valid] * num_classes + pred[valid]
    return torch.bincount(
        cells, minlength=num_classes**2).view(num_classes, num_classes)


def _check_gt(gt: Tensor, num_classes: int) -> None:
    if not 1 <= num_classes <= IGNORE:
        raise ValueError(
            f'num_classes must lie in 1..{IGNORE}, got {num_classes}')
    if gt.ndim != 2 or gt.is_floating_point():
        raise ValueError('gt must hold integers of shape (H, W), got '
                         f'{tuple(gt.shape)} of {gt.dtype}')
    outside = (gt != IGNORE) & ((gt < 0) | (gt >= num_classes))
    if outside.any():
        raise ValueError(f'gt must lie in 0..{num_classes - 1} or be {IGNORE},'
                         f' got {int(gt[outside][0])}')

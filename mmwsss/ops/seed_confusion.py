# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Confusion matrices in exact integer arithmetic."""

from collections.abc import Sequence

import torch
from torch import Tensor

IGNORE = 255


def seed_confusion(scores: Tensor, labels: Tensor | Sequence[int], gt: Tensor,
                   thresholds: Tensor | Sequence[float],
                   num_classes: int) -> Tensor:
    """Confusion of one seed with its mask at many thresholds in one pass.

    At threshold ``t`` the label of a pixel is the arg-max over
    ``[t, scores_1, ..., scores_K]``, the first of equals: ties with ``t`` are
    background. Only the strongest score of a pixel can win, so each pixel
    falls between two thresholds: below it is foreground, from it on
    background. One histogram over (truth, class, interval) and a cumulative
    sum give all matrices, without a label map for any threshold.

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

    gt = gt.to(device).long()
    valid = gt != IGNORE
    truth = gt[valid]
    totals = torch.bincount(truth, minlength=num_classes)
    num_thresholds = len(thresholds)
    confusion = totals.new_zeros((num_thresholds, num_classes, num_classes))
    if len(scores):
        ordered, order = thresholds.sort()
        best, winner = scores[:, valid].max(0)
        # The number of thresholds below the best score.
        below = torch.searchsorted(ordered, best)
        cells = (truth * num_classes + labels[winner]) * (
            num_thresholds + 1) + below
        counts = torch.bincount(
            cells, minlength=num_classes**2 * (num_thresholds + 1))
        counts = counts.view(num_classes, num_classes, num_thresholds + 1)
        # A pixel with `below` = n is foreground at the first n thresholds.
        foreground = counts.flip(-1).cumsum(-1).flip(-1)[..., 1:]
        confusion[order] = foreground.permute(2, 0, 1)
    confusion[:, :, 0] = totals - confusion.sum(-1)
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

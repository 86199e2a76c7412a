# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""61 thresholds: a label map for each, a matrix for each, histograms added up."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mmwsss.evaluation.metrics.seed_metric import SWEEP
from mmwsss.ops import integrate_histogram, seed_confusion, seed_histogram

from .timing import alternate, image_size, ratio_row

IMAGES, PRESENT = 4, 2


def compare(args) -> Iterator[dict]:
    """Images with two classes each, counted and added up."""
    for size in args.sizes:
        for classes in args.classes:
            shape = image_size(size)
            generator = torch.Generator().manual_seed(0)
            cases = []
            for _ in range(IMAGES):
                scores = F.interpolate(
                    torch.rand(1, PRESENT, 12, 16, generator=generator), shape,
                    mode='bilinear')[0]
                labels = torch.randperm(classes - 1, generator=generator) + 1
                gt = torch.randint(classes, shape, generator=generator)
                cases.append((scores.to(args.device),
                              labels[:PRESENT].to(args.device),
                              gt.to(args.device, torch.uint8)))
            sides = {
                'label maps': partial(count_maps, cases, classes),
                'matrices': partial(count_matrices, cases, classes),
                'histograms': partial(count_histograms, cases, classes),
            }
            seconds, results = alternate(sides, args.runs, args.clock)
            equal = all(torch.equal(results['histograms'], one.to(args.device))
                        for one in results.values())
            for reference in ('label maps', 'matrices'):
                yield ratio_row(
                    'sweep', f'{IMAGES} images, {shape[0]} x {shape[1]}', seconds,
                    reference, 'histograms', size=size, classes=classes,
                    equal=str(equal).lower())


def count_maps(cases: list[tuple], classes: int) -> Tensor:
    """A label map and a confusion for each threshold, in numpy."""
    total = np.zeros((len(SWEEP), classes, classes), np.int64)
    for scores, labels, gt in cases:
        scores, labels, gt = (one.cpu().numpy() for one in (scores, labels, gt))
        ids = np.concatenate([[0], labels])
        for i, threshold in enumerate(SWEEP):
            constant = np.full((1, *gt.shape), threshold, scores.dtype)
            mask = ids[np.concatenate([constant, scores]).argmax(0)]
            total[i] += np.bincount(
                (gt.astype(np.int64) * classes + mask).ravel(),
                minlength=classes**2).reshape(classes, classes)
    return torch.from_numpy(total)


def count_matrices(cases: list[tuple], classes: int) -> Tensor:
    """61 matrices an image."""
    return sum(seed_confusion(*case, SWEEP, classes) for case in cases)


def count_histograms(cases: list[tuple], classes: int) -> Tensor:
    """One histogram an image, 61 matrices at the end."""
    return integrate_histogram(
        sum(seed_histogram(*case, SWEEP, classes) for case in cases))

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Random walks by their definition: pixel pairs one by one, dense matrices."""

import itertools

import torch


def near_pairs(height, width, radius):
    """Pairs of pixels (y, x) of an image, each unordered pair once."""
    pixels = list(itertools.product(range(height), range(width)))
    for (y1, x1), (y2, x2) in itertools.combinations(pixels, 2):
        if (y1 - y2)**2 + (x1 - x2)**2 < radius**2:
            yield (y1, x1), (y2, x2)


def path_between(first, second):
    """Pixels of the pair's box closer than 1 to the line between them."""
    (y1, x1), (y2, x2) = first, second
    dy, dx = y2 - y1, x2 - x1
    for y in range(min(y1, y2), max(y1, y2) + 1):
        for x in range(min(x1, x2), max(x1, x2) + 1):
            if abs(dy * (x - x1) - dx * (y - y1)) < (dy * dy + dx * dx)**0.5:
                yield y, x


def dense_path_affinity(boundary, radius):
    """Matrix (n, n) of one boundary map (h, w); differentiable."""
    height, width = boundary.shape

    def affinity(first, second):
        path = list(path_between(first, second))
        return 1 - torch.stack([boundary[y, x] for y, x in path]).max()

    return fill(height, width, radius, affinity, boundary.dtype)


def dense_feature_affinity(features, radius, border):
    """Matrix (n, n) of one feature map (C, h, w)."""
    _, height, width = features.shape

    def affinity(first, second):
        # Pairs come in row order, thus the first is the source.
        y, x = first
        reach = radius - 1
        if not border and not (y < height - reach
                               and reach <= x < width - reach):
            return features.new_zeros(())
        difference = features[:, y, x] - features[:, second[0], second[1]]
        return torch.exp(-difference.abs().mean())

    return fill(height, width, radius, affinity, features.dtype)


def fill(height, width, radius, affinity, dtype):
    """Symmetric matrix with a unit diagonal."""
    matrix = torch.eye(height * width, dtype=dtype)
    for first, second in near_pairs(height, width, radius):
        i, j = (y * width + x for y, x in (first, second))
        matrix[i, j] = matrix[j, i] = affinity(first, second)
    return matrix


def dense_transition(matrix, beta):
    """Element-wise power with columns that sum to 1."""
    powered = matrix**beta
    return powered / powered.sum(0, keepdim=True)


def dense_walk(scores, matrix, beta, squarings):
    """``scores (K, h, w)`` times the transition's ``2**squarings``-th power."""
    transition = dense_transition(matrix, beta)
    for _ in range(squarings):
        transition = transition @ transition
    return (scores.flatten(1) @ transition).view_as(scores)

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Random walks of class scores over the pixels of an image.

The transition matrix of n pixels has n * n entries, nearly all of them 0, and
its 256th power none. Here no matrix is made: a step is a sum over shifted maps,
and far fewer steps than 256 give the same power.
"""

from functools import lru_cache
from math import comb

import torch
from torch import Tensor

from .feature_affinity import feature_affinity
from .path_affinity import check_boundary, path_affinity

# Bound of what the left out polynomials add, before the number of pixels.
_TOLERANCE = 1e-8


def random_walk(scores: Tensor,
                boundary: Tensor,
                radius: int = 5,
                beta: float = 10,
                steps: int = 256) -> Tensor:
    r"""Spread class scores inside boundaries by a random walk.

    Two pixels closer than ``radius`` have the affinity of
    :func:`path_affinity`, a pixel has 1 with itself. The transition matrix
    ``T`` is the affinity to the power of ``beta``, element by element, with
    columns that sum to 1, so that a step replaces each score by a weighted
    mean of its neighbours'; the result is ``(scores * (1 - boundary)) T^steps``.
    Outside of the image all is boundary. `IRN
    <https://arxiv.org/abs/1904.05044>`_ (Ahn et al., CVPR 2019).

    ``T`` is similar to a symmetric matrix whose eigenvalues lie in [-1, 1].
    There ``x^steps`` is a sum of Chebyshev polynomials with binomial weights, of
    which all but those of a degree below about ``6 * sqrt(steps)`` vanish:
    92 sparse steps instead of 256, exact to about 1e-5. `Faster Algorithms via
    Approximation Theory <https://doi.org/10.1561/0400000065>`_ (Sachdeva and
    Vishnoi, 2014), Theorem 3.3.

    SANCE, Eq. 6, with ``beta`` for the n of its affinities :math:`a_{ij}` (see
    :func:`path_affinity`) and the columns of :math:`\hat A` normalised:

    .. math::
        M^b = [M \odot (1 - B)] \hat A^t, \quad
        \hat A_{ij} = \frac {a_{ij}} {\sum_k a_{kj}}

    Args:
        scores (Tensor): Class scores of shape (N, K, h, w). Gradients flow
            through them.
        boundary (Tensor): Boundary probabilities of shape (N, 1, h, w) in
            [0, 1]; a constant for autograd.
        radius (int): Pixels that a step reaches are closer than this.
            Defaults to 5.
        beta (float): The power that makes affinities sparser. Defaults to 10.
        steps (int): Length of the walk. Defaults to 256, the eight squarings
            of the authors' code.

    Returns:
        Tensor: Scores of the shape, type and device of ``scores``; sums are
        taken in single precision at least.

    Raises:
        ValueError: If a shape or range is not as above.

    Example:
        >>> import torch
        >>> from mmwsss.ops import random_walk
        >>> random_walk(torch.rand(1, 3, 48, 64), torch.rand(1, 1, 48, 64)).shape
        torch.Size([1, 3, 48, 64])
    """
    check_boundary(boundary)
    _check_walk(scores, 'boundary', boundary, beta, steps)
    boundary = boundary.detach().to(_sum_type(scores))
    affinity, offsets = path_affinity(boundary, radius)
    start = scores.to(boundary.dtype) * (1 - boundary)
    return _walk(start, affinity, offsets, beta, steps).to(scores.dtype)


def affinity_walk(scores: Tensor,
                  features: Tensor,
                  radius: int = 5,
                  beta: float = 8,
                  steps: int = 256,
                  border: bool = False) -> Tensor:
    r"""Spread class scores over pixels of like features by a random walk.

    As :func:`random_walk`, with the affinity of :func:`feature_affinity`.
    `AffinityNet (PSA) <https://arxiv.org/abs/1803.10464>`_ (Ahn and Kwak,
    CVPR 2018).

    PSA's walk, with the affinities W to the power of ``beta``, element by element:

    .. math::
        T = D^{-1} W^{\circ \beta}, \quad D_{ii} = \sum_j W_{ij}^\beta, \quad
        \operatorname{vec}(M_c^*) = T^t \cdot \operatorname{vec}(M_c)

    Args:
        scores (Tensor): Class scores of shape (N, K, h, w). Gradients flow
            through them.
        features (Tensor): Of shape (N, C, h, w); a constant for autograd.
        radius (int): Pixels that a step reaches are closer than this.
            Defaults to 5.
        beta (float): The power that makes affinities sparser. Defaults to 8.
        steps (int): Length of the walk. Defaults to 256.
        border (bool): See :func:`feature_affinity`. Defaults to False: as the
            authors' code.

    Returns:
        Tensor: Scores of the shape, type and device of ``scores``; sums are
        taken in single precision at least.

    Raises:
        ValueError: If a shape or range is not as above.
    """
    _check_walk(scores, 'features', features, beta, steps)
    dtype = _sum_type(scores)
    affinity, offsets = feature_affinity(
        features.detach().to(dtype), radius, border)
    return _walk(scores.to(dtype), affinity, offsets, beta,
                 steps).to(scores.dtype)


def _check_walk(scores: Tensor, name: str, guide: Tensor, beta: float,
                steps: int) -> None:
    if scores.ndim != 4 or not scores.is_floating_point():
        raise ValueError('scores must be floating of shape (N, K, h, w), got '
                         f'{scores.dtype} of {tuple(scores.shape)}')
    expected = (len(scores), guide.shape[1] if guide.ndim > 1 else 1,
                *scores.shape[2:])
    if tuple(guide.shape) != expected:
        raise ValueError(f'{name} must have the shape {expected} beside scores '
                         f'{tuple(scores.shape)}, got {tuple(guide.shape)}')
    if not beta > 0:
        raise ValueError(f'beta must be positive, got {beta}')
    if not isinstance(steps, int) or steps < 0:
        raise ValueError(
            f'steps must be an integer of at least 0, got {steps!r}')


def _sum_type(scores: Tensor) -> torch.dtype:
    return torch.promote_types(scores.dtype, torch.float32)


def _walk(scores: Tensor, affinity: Tensor, offsets: Tensor, beta: float,
          steps: int) -> Tensor:
    if not scores.numel() or not steps:
        return scores
    # A pair that is too far apart for a small image has affinity 0; it would
    # only disturb the shifts of flat maps.
    height, width = scores.shape[2:]
    fits = (offsets[:, 0] < height) & (offsets[:, 1].abs() < width)
    shifts = (offsets[fits, 0] * width + offsets[fits, 1]).tolist()
    weights = affinity[:, fits].pow_(beta).flatten(2)
    return _Walk.apply(scores.flatten(2), weights, shifts,
                       steps).view_as(scores)


class _Walk(torch.autograd.Function):

    @staticmethod
    def forward(ctx, scores: Tensor, weights: Tensor, shifts: list[int],
                steps: int) -> Tensor:
        # What a pixel exchanges with others, without its 1 with itself.
        exchange = torch.zeros_like(weights[:, :1])
        for i, shift in enumerate(shifts):
            exchange[..., shift:] += weights[:, i:i + 1, :-shift]
            exchange[..., :-shift] += weights[:, i:i + 1, :-shift]
        ctx.save_for_backward(weights, exchange)
        ctx.shifts, ctx.steps = shifts, steps
        return _propagate(scores, weights, exchange, shifts, steps)

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple:
        # T = W / degree with a symmetric W: the transposed walk is the walk
        # between a division and a multiplication by the degree.
        weights, exchange = ctx.saved_tensors
        degree = 1 + exchange
        grad = degree * _propagate(grad / degree, weights, exchange, ctx.shifts,
                                   ctx.steps)
        return grad, None, None, None


def _propagate(scores: Tensor, weights: Tensor, exchange: Tensor,
               shifts: list[int], steps: int) -> Tensor:
    """``scores T^steps`` by Chebyshev's recurrence.

    It runs over the differences of successive polynomials, and over
    ``T - 1`` (Reinsch's form of the recurrence): where next to nothing moves,
    next to nothing is rounded. Flat maps shift by one number for both axes:
    what wraps around a border has the weight 0. All views are made
    beforehand, since a step on a small map takes less time than slicing it.
    """
    coefficients = _power_coefficients(steps)
    current = scores.clone()
    total = torch.empty_like(scores)
    terms = [(total[..., to], weights[:, i:i + 1, :-shift], current[..., source])
             for i, shift in enumerate(shifts)
             for to, source in ((slice(shift, None), slice(-shift)),
                                (slice(-shift), slice(shift, None)))]
    result = scores * coefficients[0]
    change = torch.zeros_like(scores)
    inverse, leaving = 1 / (1 + exchange), -exchange
    for k, coefficient in enumerate(coefficients[1:], 1):
        torch.mul(current, leaving, out=total)
        for to, weight, source in terms:
            to.addcmul_(weight, source)
        change.addcmul_(total, inverse, value=2 if k > 1 else 1)
        current += change
        if coefficient:
            result.add_(current, alpha=coefficient)
    return result


@lru_cache
def _power_coefficients(steps: int) -> tuple[float, ...]:
    """Chebyshev coefficients of ``x^steps``, without a negligible tail.

    They are non-negative and sum to 1, hence the walk's weights do, too.
    """
    coefficients = [0.] * (steps + 1)
    for k in range(steps, -1, -2):
        share = comb(steps, (steps - k) // 2) / 2**steps
        coefficients[k] = 2 * share if k else share
    tail = 0.
    while tail + coefficients[-1] < _TOLERANCE:
        tail += coefficients.pop()
    total = sum(coefficients)
    return tuple(one / total for one in coefficients)

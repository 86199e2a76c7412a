# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Pixel-adaptive refinement of masks, with the weights of PAMR or of PAR."""

from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

NEIGHBOURS = tuple((dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)
                   if dy or dx)

PAR_WIDTH = 0.3
PAR_DISTANCE = 0.01
"""In PAR: the width of both kernels, and how much the one of distances weighs."""


@torch.no_grad()
def pamr(masks: Tensor,
         images: Tensor,
         num_iter: int = 10,
         dilations: Sequence[int] = (1, 2, 4, 8, 12, 24),
         variance: bool = False,
         weights: str = 'pamr') -> Tensor:
    r"""Refine masks by averaging over neighbours of similar colour.

    Each pixel becomes a convex combination of its neighbours, eight for each
    dilation. Their weights are the softmax of ``-|I_p - I_q| / (0.1 s_p)``,
    averaged over the colours, where ``s_p`` is the standard deviation of the
    colour among the neighbours and the pixel itself (once for each dilation).
    Beyond the border the nearest pixel counts. The sum over classes is
    preserved. `Single-Stage Semantic Segmentation from Image Labels
    <https://arxiv.org/abs/2005.08104>`_ (CVPR 2020), with the denominator of its
    code.

    A step is one lookup of the neighbours with weights that all channels
    share: nothing of the size channels x neighbours x pixels is ever made.

    Single-stage segmentation, Eqs. 7 and 8, and the weights they lead to:

    .. math::
        m_{:,i,j}^t = \sum_{(l,n) \in \mathcal N(i,j)} \alpha_{i,j,l,n} \cdot
        m_{:,l,n}^{t-1}, \quad
        k(I_{i,j}, I_{l,n}) = -\frac {|I_{i,j} - I_{l,n}|} {\sigma_{i,j}^2},
        \quad \alpha_{i,j,l,n} = \frac {e^{\bar k(I_{i,j}, I_{l,n})}}
        {\sum_{(q,r) \in \mathcal N(i,j)} e^{\bar k(I_{i,j}, I_{q,r})}}

    The code divides by :math:`0.1 \sigma_{i,j}` instead; ``variance`` decides.

    With ``weights='par'`` it is PAR, the refinement of `Learning Affinity from
    Attention <https://arxiv.org/abs/2203.02664>`_ (AFA, CVPR 2022), as in its code,
    with :math:`\sigma` of the neighbours alone, all dilations together, and a kernel
    of their distances d beside:

    .. math::
        \alpha_{p,q} = \mathrm{softmax}_q \Bigl( - \overline{\Bigl( \frac {|I_p -
        I_q|} {0.3\, \sigma_p} \Bigr)^2} \Bigr) + 0.01\; \mathrm{softmax}_q \Bigl( -
        \Bigl( \frac {d_{p,q}} {0.3\, \sigma_d} \Bigr)^2 \Bigr)

    These add up to 1.01, so that the sum over classes grows by a percent a step.

    Args:
        masks (Tensor): Scores of shape (N, C, h, w). They are resized to the
            images first (bilinear, align_corners True).
        images (Tensor): Images of shape (N, 3, H, W) in any range: scaling or
            shifting a colour changes nothing.
        num_iter (int): Iterations; 0 only resizes. Defaults to 10.
        dilations (Sequence[int]): Distances of the neighbours in pixels.
            Defaults to (1, 2, 4, 8, 12, 24).
        variance (bool): Whether to divide by the square of ``s_p``, as the
            paper prints it; then the range of the images matters. Defaults to
            False.
        weights (str): ``'pamr'`` or ``'par'``. Defaults to 'pamr'.

    Returns:
        Tensor: Refined masks of shape (N, C, H, W), with the type and device
        of ``masks``, without gradient.

    Raises:
        ValueError: If a shape or number is not as above.
    """
    if masks.ndim != 4:
        raise ValueError('masks must have the shape (N, C, h, w), got '
                         f'{tuple(masks.shape)}')
    if (images.ndim != 4 or images.shape[1] != 3
            or len(images) != len(masks)):
        raise ValueError(f'images must have the shape ({len(masks)}, 3, H, W),'
                         f' got {tuple(images.shape)}')
    if num_iter < 0:
        raise ValueError(f'num_iter must be at least 0, got {num_iter}')
    if not dilations or min(dilations) < 1:
        raise ValueError('dilations must be one or more positive numbers, got '
                         f'{tuple(dilations)}')
    if weights not in ('pamr', 'par') or weights == 'par' and variance:
        raise ValueError("weights must be 'pamr' or 'par', the latter without variance,"
                         f' got {weights!r} and variance={variance}')
    dtype = masks.dtype
    if dtype != torch.float64:
        masks = masks.float()
    size = images.shape[2:]
    if masks.shape[2:] != size:
        masks = F.interpolate(
            masks, size=size, mode='bilinear', align_corners=True)
    if num_iter == 0:
        return masks.to(dtype)
    neighbours = _neighbour_index(size, dilations, masks.device)
    refined = torch.empty_like(masks)
    for i, image in enumerate(images.to(masks.dtype)):
        affinity = (_par_affinity(image, dilations) if weights == 'par' else
                    _affinity(image, dilations, variance))
        pixels = masks[i].flatten(1).t().contiguous()
        for _ in range(num_iter):
            pixels = F.embedding_bag(
                neighbours, pixels, per_sample_weights=affinity, mode='sum')
        refined[i] = pixels.t().unflatten(1, size)
    return refined.to(dtype)


def _neighbour_index(size: Sequence[int], dilations: Sequence[int],
                     device: torch.device) -> Tensor:
    """Positions of each pixel's neighbours, (H * W, P) int32."""
    height, width = size
    offsets = torch.tensor(
        [(dy * d, dx * d) for d in dilations for dy, dx in NEIGHBOURS],
        dtype=torch.int32, device=device)
    rows, columns = (
        torch.arange(length, dtype=torch.int32, device=device)
        for length in size)
    rows = (rows[:, None] + offsets[:, 0]).clamp_(0, height - 1).mul_(width)
    columns = (columns[:, None] + offsets[:, 1]).clamp_(0, width - 1)
    return (rows[:, None] + columns).flatten(0, 1)


def _affinity(image: Tensor, dilations: Sequence[int],
              variance: bool) -> Tensor:
    """Weights of each pixel's neighbours, (H * W, P), rows sum to 1."""
    # The pixel itself, with which it differs by 0, once for each dilation.
    scale = _variance(image, dilations, 9 * len(dilations))
    if not variance:
        scale = scale.sqrt_().mul_(0.1)
    return _softmax(
        _similarities(image, dilations, scale, power=1)).t().contiguous()


def _par_affinity(image: Tensor, dilations: Sequence[int]) -> Tensor:
    """Weights of each pixel's neighbours, (H * W, P), rows sum to 1.01."""
    count = len(NEIGHBOURS) * len(dilations)
    scale = _variance(image, dilations, count).sqrt_()
    weights = _softmax(_similarities(image, dilations, scale, 2, PAR_WIDTH))
    distances = image.new_tensor(
        [d * (dy * dy + dx * dx)**0.5 for d in dilations for dy, dx in NEIGHBOURS])
    deviation = distances.std() + 1e-8
    near = (-(distances / deviation / PAR_WIDTH)**2).softmax(dim=0)
    return weights.add_(near[:, None], alpha=PAR_DISTANCE).t().contiguous()


def _variance(image: Tensor, dilations: Sequence[int], count: int) -> Tensor:
    """The unbiased variance (3, H, W) of ``count`` values around each pixel, of
    which those that are no neighbours are the pixel itself."""
    total, squares = torch.zeros_like(image), torch.zeros_like(image)
    for difference in _differences(image, dilations):
        total += difference
        squares.addcmul_(difference, difference)
    # Of differences, this formula is stable.
    return (squares - total.square_() / count).clamp_(min=0).div_(count - 1)


def _similarities(image: Tensor, dilations: Sequence[int], scale: Tensor,
                  power: int, width: float = 1.) -> Tensor:
    """Minus the scaled distance in colour of each neighbour, (P, H * W)."""
    scale = scale.add_(1e-8).mul_(width).reciprocal_()
    # Written neighbour by neighbour, then read pixel by pixel.
    similarities = image.new_empty(
        (len(NEIGHBOURS) * len(dilations), *image.shape[1:]))
    for k, difference in enumerate(_differences(image, dilations)):
        distance = difference.abs_().mul_(scale)
        if power != 1:
            distance.pow_(power)
        torch.mean(distance, dim=0, out=similarities[k])
    return similarities.neg_().flatten(1)


def _softmax(similarities: Tensor) -> Tensor:
    """Over the first dimension, in place."""
    similarities.sub_(similarities.amax(dim=0)).exp_()
    return similarities.div_(similarities.sum(dim=0))


def _differences(image: Tensor, dilations: Sequence[int]) -> Iterator[Tensor]:
    """I_q - I_p for one neighbour q of all pixels p after the other."""
    height, width = image.shape[1:]
    for d in dilations:
        padded = F.pad(image[None], [d] * 4, mode='replicate')[0]
        for dy, dx in NEIGHBOURS:
            top, left = d + dy * d, d + dx * d
            yield padded[:, top:top + height, left:left + width] - image

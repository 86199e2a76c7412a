# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Pixel-adaptive mask refinement."""

from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

NEIGHBOURS = tuple((dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)
                   if dy or dx)


@torch.no_grad()
def pamr(masks: Tensor,
         images: Tensor,
         num_iter: int = 10,
         dilations: Sequence[int] = (1, 2, 4, 8, 12, 24),
         variance: bool = False) -> Tensor:
    r"""Refine masks by averaging over neighbours of similar colour.

    Each pixel becomes a convex combination of its neighbours, eight for each
    dilation. Their weights are the softmax of ``-|I_p - I_q| / (0.1 s_p)``,
    averaged over the colours, where ``s_p`` is the standard deviation of the
    colour among the neighbours and the pixel itself (once for each dilation).
    Beyond the border the nearest pixel counts. The sum over classes is
    preserved. `Single-Stage Semantic Segmentation from Image Labels
    <https://arxiv.org/abs/2005.08104>`_ (CVPR 2020), Eq. 7 and 8, with the
    denominator of its code.

    A step is one lookup of the neighbours with weights that all channels
    share: nothing of the size channels x neighbours x pixels is ever made.

    Eq. 7 and 8:

    .. math::
        m_{:,i,j}^t = \sum_{(l,n) \in \mathcal N(i,j)} \alpha_{i,j,l,n} \cdot
        m_{:,l,n}^{t-1}, \quad
        k(I_{i,j}, I_{l,n}) = -\frac {|I_{i,j} - I_{l,n}|} {\sigma_{i,j}^2},
        \quad \alpha_{i,j,l,n} = \frac {e^{\bar k(I_{i,j}, I_{l,n})}}
        {\sum_{(q,r) \in \mathcal N(i,j)} e^{\bar k(I_{i,j}, I_{q,r})}}

    The code divides by :math:`0.1 \sigma_{i,j}` instead; ``variance`` decides.

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
        weights = _affinity(image, dilations, variance)
        pixels = masks[i].flatten(1).t().contiguous()
        for _ in range(num_iter):
            pixels = F.embedding_bag(
                neighbours, pixels, per_sample_weights=weights, mode='sum')
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
    total, squares = torch.zeros_like(image), torch.zeros_like(image)
    for difference in _differences(image, dilations):
        total += difference
        squares.addcmul_(difference, difference)
    # The pixel itself differs by 0. Of differences, this formula is stable.
    count = 9 * len(dilations)
    scale = (squares - total.square_() / count).clamp_(min=0).div_(count - 1)
    if not variance:
        scale = scale.sqrt_().mul_(0.1)
    scale = scale.add_(1e-8).reciprocal_()
    # Written neighbour by neighbour, then read pixel by pixel.
    weights = image.new_empty(
        (len(NEIGHBOURS) * len(dilations), *image.shape[1:]))
    for k, difference in enumerate(_differences(image, dilations)):
        torch.mean(difference.abs_().mul_(scale), dim=0, out=weights[k])
    weights = weights.neg_().flatten(1)
    weights.sub_(weights.amax(dim=0)).exp_()
    return weights.div_(weights.sum(dim=0)).t().contiguous()


def _differences(image: Tensor, dilations: Sequence[int]) -> Iterator[Tensor]:
    """I_q - I_p for one neighbour q of all pixels p after the other."""
    height, width = image.shape[1:]
    for d in dilations:
        padded = F.pad(image[None], [d] * 4, mode='replicate')[0]
        for dy, dx in NEIGHBOURS:
            top, left = d + dy * d, d + dx * d
            yield padded[:, top:top + height, left:left + width] - image

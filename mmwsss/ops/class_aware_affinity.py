# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Class activation maps, spread by the attention of a transformer."""

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor


def class_aware_affinity(attention: Tensor,
                         cams: Tensor,
                         threshold: float = 0.4,
                         iters: int = 3,
                         full_boxes: bool = False) -> Tensor:
    r"""Spread class activation maps along attention, within boxes of their own.

    The affinity of patches is their attention, made nearly doubly stochastic
    (columns and rows divided by their sums in turn, as by Sinkhorn), symmetric, and
    squared: two steps of a walk. It is one for all classes. What makes it aware of a
    class is where the walk may start: in the boxes around what the class's map
    shows, see :func:`box_masks`. `CLIP is Also an Efficient Segmenter
    <https://arxiv.org/abs/2212.09506>`_ (CLIP-ES, CVPR 2023), Sec. 3.3, as in its
    code:

    .. math::
        D = \mathrm{Sinkhorn}(A), \quad T = \Bigl(\frac {D + D^\top} 2\Bigr)^2,
        \quad M_c = T \, (B_c \odot S_c)

    Args:
        attention (Tensor): Positive weights of shape (N, N) from each of N = h * w
            patches, row by row, to each.
        cams (Tensor): Maps of shape (K, h, w) in [0, 1].
        threshold (float): What parts of a map get a box, as a share of its maximum.
            CLIP-ES takes 0.4 on VOC and 0.7 on COCO. Defaults to 0.4.
        iters (int): How often columns and rows are divided. Defaults to 3.
        full_boxes (bool): Whether boxes hold the last row and the last column,
            which the code never lets them. Defaults to False.

    Returns:
        Tensor: Of shape (K, h, w), not negative and not normalised, single precision
        at least; 0 for a map without a box.

    Raises:
        ValueError: If a shape, a range or the number of iterations is not as above.
    """
    if cams.ndim != 3:
        raise ValueError(f'cams must be of shape (K, h, w), got {tuple(cams.shape)}')
    patches = cams.shape[1] * cams.shape[2]
    if attention.shape != (patches, patches):
        raise ValueError(
            f'attention to maps of {cams.shape[1]} x {cams.shape[2]} patches must be '
            f'of shape {(patches, patches)}, got {tuple(attention.shape)}')
    if iters < 0:
        raise ValueError(f'iters must not be negative, got {iters}')
    if attention.dtype != torch.float64:
        attention = attention.float()
    boxes = box_masks(cams, threshold, full_boxes)
    affinity = attention
    for _ in range(iters):
        affinity = affinity / affinity.sum(dim=0, keepdim=True)
        affinity = affinity / affinity.sum(dim=1, keepdim=True)
    affinity = (affinity + affinity.T) / 2
    sources = (cams.to(attention) * boxes).flatten(1)
    # Two products with K columns instead of one of matrices: 2 K N^2, not N^3.
    return (affinity @ (affinity @ sources.T)).T.reshape(cams.shape)


def box_masks(cams: Tensor,
              threshold: float = 0.4,
              full_boxes: bool = False) -> Tensor:
    """Boxes around the connected parts of maps that exceed a share of the maximum.

    Maps are bytes here, ``floor(255 * cam)``, and so is the threshold,
    ``floor(threshold * max)``. Parts that touch at a corner are one.

    Args:
        cams (Tensor): Maps of shape (K, h, w) in [0, 1].
        threshold (float): The share, in [0, 1]. Defaults to 0.4.
        full_boxes (bool): Whether boxes hold the last row and the last column of
            the map. Defaults to False, as CLIP-ES: what is only there has no box.

    Returns:
        Tensor: Bool of shape (K, h, w).

    Raises:
        ValueError: If a number is not in its range.
    """
    if not 0 <= threshold <= 1:
        raise ValueError(f'threshold must lie in [0, 1], got {threshold}')
    dtype = torch.float64 if cams.dtype == torch.float64 else torch.float32
    maps = cams.detach().to('cpu', dtype).numpy()
    # NaN fails this comparison, too.
    if maps.size and not (maps.min() >= 0 and maps.max() <= 1):
        raise ValueError(f'cams must lie in [0, 1], got [{maps.min():.4g}, '
                         f'{maps.max():.4g}]')
    masks = np.zeros(maps.shape, dtype=bool)
    height, width = maps.shape[1:] if full_boxes else (n - 1 for n in maps.shape[1:])
    for mask, level in zip(masks, (maps * 255).astype(np.uint8), strict=True):
        seen = level > int(threshold * int(level.max(initial=0)))
        parts, _ = ndimage.label(seen, structure=np.ones((3, 3)))
        for rows, columns in ndimage.find_objects(parts):
            mask[rows.start:min(rows.stop, height),
                 columns.start:min(columns.stop, width)] = True
    return torch.from_numpy(masks).to(cams.device)

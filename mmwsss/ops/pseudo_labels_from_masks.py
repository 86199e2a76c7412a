# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import torch
from torch import Tensor


@torch.no_grad()
def pseudo_labels_from_masks(masks: Tensor,
                             tags: Tensor,
                             fg_ratio: float = 0.6,
                             bg_ratio: float = 0.7,
                             floor: float = 0.2) -> Tensor:
    r"""Keep the confident pixels of masks as labels.

    A pixel belongs to a class where its score exceeds a fraction of the
    class's maximum in that image, and a floor. Pixels of several classes or of
    none are undecided. `Single-Stage Semantic Segmentation from Image Labels
    <https://arxiv.org/abs/2005.08104>`_ (CVPR 2020), Section 3.3; the floor is
    in its code only.

    The paper gives no equation; pixel (i, j) may be of class c where

    .. math::
        m_{c,i,j} > \max\left(\rho_c \max_{l,n} m_{c,l,n},\; \tau\right), \quad
        \rho_0 = 0.7, \; \rho_{c > 0} = 0.6, \; \tau = 0.2

    Args:
        masks (Tensor): Scores of shape (N, C, H, W) in [0, 1], background
            first.
        tags (Tensor): Multi-hot labels of the foreground classes, of
            shape (N, C - 1), or of all classes, (N, C), where the entry of the
            background must be set. Other classes are ruled out.
        fg_ratio (float): Fraction for foreground classes. Defaults to 0.6.
        bg_ratio (float): Fraction for background. Defaults to 0.7.
        floor (float): No threshold is lower. Defaults to 0.2.

    Returns:
        Tensor: Class ids of shape (N, H, W), int64; 255 is undecided.

    Raises:
        ValueError: If a shape or range is not as above.
    """
    if masks.ndim != 4 or not masks.shape[2:].numel():
        raise ValueError('masks must have the shape (N, C, H, W), got '
                         f'{tuple(masks.shape)}')
    num, classes = masks.shape[:2]
    if not 2 <= classes <= 255:
        raise ValueError('masks must have 2 to 255 channels, background '
                         f'included, got {classes}')
    present = tags.to(masks.device) > 0
    if present.shape == (num, classes - 1):
        present = torch.cat([present.new_ones((num, 1)), present], dim=1)
    if present.shape != (num, classes) or not present[:, 0].all():
        raise ValueError(
            f'tags must have the shape ({num}, {classes - 1}), or '
            f'({num}, {classes}) with background set, got '
            f'{tuple(tags.shape)}')
    for name, value in (('fg_ratio', fg_ratio), ('bg_ratio', bg_ratio),
                        ('floor', floor)):
        if not 0 <= value <= 1:
            raise ValueError(f'{name} must lie in [0, 1], got {value}')
    masks = masks * present[:, :, None, None]
    thresholds = masks.amax(dim=(2, 3), keepdim=True)
    thresholds[:, :1] *= bg_ratio
    thresholds[:, 1:] *= fg_ratio
    confident = masks > thresholds.clamp_(min=floor)
    labels = confident.int().argmax(dim=1)
    return labels.masked_fill_(confident.sum(dim=1) != 1, 255)

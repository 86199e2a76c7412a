# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from mmwsss.ops import min_max_norm

EPS = 1e-5


class PrototypeView(NamedTuple):
    """What PPC's losses compare: one view of a batch, its P pixels in a row.

    Args:
        pixels (Tensor): Projected features of length 1, of shape (P, D).
        prototypes (Tensor): One of each class, of length 1 and without gradient,
            of shape (C, D), background first.
        labels (Tensor): The pixels' pseudo labels of shape (P, ).
    """

    pixels: Tensor
    prototypes: Tensor
    labels: Tensor


def prototype_view(features: Tensor,
                   revised: Tensor,
                   labels: Tensor,
                   background_score: float = 0.1,
                   top_ratio: float = 1 / 16,
                   arbitrary: bool = False) -> PrototypeView:
    r"""Label a view's pixels, and gather a prototype of each class.

    The revised maps, each stretched to [0, 1], are confidences :math:`c`; the
    background has a constant one. A pixel's label is its best class among those
    of the image. A class's prototype is the mean feature of its :math:`K` most
    confident pixels of the whole batch, weighted by confidence. `Weakly
    Supervised Semantic Segmentation by Pixel-to-Prototype Contrast
    <https://arxiv.org/abs/2110.07110>`_ (PPC, CVPR 2022).

    .. math::
        P_k = \frac {\sum_{i \in \Omega_k} c_{k, i} v_i}
        {\left\| \sum_{i \in \Omega_k} c_{k, i} v_i \right\|_2}, \quad
        y_i = \arg\max_k y_k c_{k, i}

    The prototype of the background is of the pixels where the image's classes
    are weakest. A class whose maps are 0 has none: the zero vector, near
    nothing. Other absent classes take part as in the code: theirs is of the
    pixels that look most like them.

    Args:
        features (Tensor): Projected features of shape (N, D, h, w).
        revised (Tensor): Revised maps of shape (N, C, h, w), background first,
            which is not looked at.
        labels (Tensor): Multi-hot image labels of shape (N, C - 1).
        background_score (float): The constant confidence. Defaults to 0.1.
        top_ratio (float): :math:`K` over the pixels of one image. Defaults to
            1 / 16.
        arbitrary (bool): Whether the background, whose confidences are all
            equal, and classes whose maps are 0 get prototypes of what comes
            first in a sort of equal values, as in the code. Defaults to False.
    """
    if features.dtype != torch.float64:
        features = features.float()
    rows = features.permute(0, 2, 3, 1).flatten(0, 2)
    with torch.no_grad():
        foreground = revised[:, 1:].to(features)
        foreground = (_code_min_max(foreground) if arbitrary else
                      min_max_norm(foreground.relu()))
        constant = torch.full_like(foreground[:, :1], background_score)
        present = foreground * labels.to(foreground)[:, :, None, None]
        pixel_labels = torch.cat([constant, present], dim=1).argmax(dim=1)

        confidence = torch.cat([constant, foreground], dim=1)
        confidence = confidence.transpose(0, 1).flatten(1)
        count = max(int(features[0, 0].numel() * top_ratio), 1)
        weights, places = confidence.topk(count, dim=1)
        if not arbitrary:
            strongest = present.amax(dim=1).flatten()
            places[0] = strongest.topk(count, largest=False)[1]
        prototypes = (weights[:, :, None] * rows[places]).sum(dim=1)
        prototypes = prototypes * weights.sum(dim=1, keepdim=True).sign()
    return PrototypeView(
        F.normalize(rows, dim=1), F.normalize(prototypes, dim=1),
        pixel_labels.flatten())


def _code_min_max(maps: Tensor) -> Tensor:
    """As :func:`min_max_norm`, but just below 0 where that is 0, and -1 throughout a
    map of zeros."""
    maps = maps.relu()
    low = maps.amin(dim=(2, 3), keepdim=True)
    high = maps.amax(dim=(2, 3), keepdim=True)
    maps = maps.masked_fill(maps < low + EPS, 0)
    return (maps - low - EPS) / (high - low + EPS)


def prototype_nce(pixels: Tensor, prototypes: Tensor, labels: Tensor,
                  temperature: float) -> Tensor:
    """Cross entropy of pixels (P, D) against prototypes (C, D) as classifier.

    Args:
        pixels (Tensor): Of length 1, of shape (P, D).
        prototypes (Tensor): Of length 1, of shape (C, D).
        labels (Tensor): Which prototype is right, of shape (P, ).
        temperature (float): Divides the cosines.

    Returns:
        Tensor: The mean over the pixels, a scalar.
    """
    return F.cross_entropy(pixels @ prototypes.T / temperature, labels)

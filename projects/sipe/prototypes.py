# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""From class maps to prototypes of one image, and back to maps."""

import torch
import torch.nn.functional as F
from torch import Tensor

EPS = 1e-5
COSINE_EPS = 1e-8
MAX_ENTRIES = 1 << 22
"""Of the similarities that are held at once: 16 MB in single precision."""


@torch.no_grad()
def structure_aware_seeds(maps: Tensor,
                          features: Tensor,
                          present: Tensor,
                          valid: Tensor | None = None,
                          background_factor: float = 0.5,
                          max_entries: int = MAX_ENTRIES) -> Tensor:
    r"""Give each pixel to the class whose map is most like its surroundings.

    What looks like a pixel, by the cosine (where positive) of features, is a soft
    region; a pixel belongs to the class whose map overlaps most with it. The
    background's overlap counts half. `Self-supervised Image-specific Prototype
    Exploration <https://arxiv.org/abs/2203.02909>`_ (SIPE, CVPR 2022).

    .. math::
        K_{ij} = \operatorname{ReLU} \left( \frac {x_i \cdot x_j}
        {\| x_i \|_2 \| x_j \|_2} \right), \quad
        O_{ic} = \frac {\sum_j K_{ij} n_{cj}}
        {\sum_j K_{ij} + \sum_j n_{cj} - \sum_j K_{ij} n_{cj}}, \quad
        y_i = \arg\max_c \lambda_c O_{ic}, \;
        \lambda_0 = \tfrac 1 2, \; \lambda_{c > 0} = 1

    The similarities of all pairs of pixels would take GBs for large images; they
    are made some rows at a time.

    Args:
        maps (Tensor): Class maps in [0, 1] of shape (N, C, h, w), background
            first.
        features (Tensor): Of shape (N, D, h, w).
        present (Tensor): Which foreground classes take pixels, bool of shape
            (N, C - 1).
        valid (Tensor, optional): Bool of shape (N, 1, h, w); pixels that are
            False belong to nobody and to no region. Defaults to None: all.
        background_factor (float): :math:`\lambda_0`. Defaults to 0.5.
        max_entries (int): How many similarities are held at once, at least those
            of one pixel of each image.

    Returns:
        Tensor: One-hot of shape (N, C, h, w) and the type of ``maps``.

    Raises:
        ValueError: If maps, features and classes do not fit.
    """
    num, num_classes, *size = maps.shape
    if tuple(present.shape) != (num, num_classes - 1) or \
            list(features.shape[2:]) != size:
        raise ValueError(
            f'maps {tuple(maps.shape)} need features of shape ({num}, D, {size[0]}, '
            f'{size[1]}) and present of {(num, num_classes - 1)}, got '
            f'{tuple(features.shape)} and {tuple(present.shape)}')
    maps, features = maps.flatten(2), features.to(maps).flatten(2)
    features = features / (features.norm(dim=1, keepdim=True) + EPS)
    if valid is None:
        inside = torch.ones_like(maps[:, :1])
    else:
        inside = valid.flatten(2).to(maps)
        maps = maps * inside
    columns = torch.cat([maps, inside], dim=1).transpose(1, 2)
    areas = maps.sum(dim=2)[:, None]
    rows = max(max_entries // (num * maps.shape[2]), 1)
    labels = []
    for part in features.transpose(1, 2).split(rows, dim=1):
        sums = (part @ features).relu_() @ columns
        both, region = sums[..., :-1], sums[..., -1:]
        overlap = both / (region + areas - both).clamp(min=COSINE_EPS)
        overlap[..., 0] *= background_factor
        overlap[..., 1:].masked_fill_(~present.bool()[:, None], -1)
        labels.append(overlap.argmax(dim=2))
    seeds = F.one_hot(torch.cat(labels, dim=1), num_classes).transpose(1, 2)
    return (seeds * inside).unflatten(2, size)


def image_prototypes(seeds: Tensor, features: Tensor) -> Tensor:
    r"""The mean feature of each class's seed.

    .. math::
        p_c = \frac {\sum_i [y_i = c] H_i} {\sum_i [y_i = c]}

    (The published code divides by the number of all pixels, which no cosine
    tells.) A class without seed has the zero vector, which is like nothing.

    Args:
        seeds (Tensor): One-hot of shape (N, C, h, w).
        features (Tensor): :math:`H`, of shape (N, D, h, w).

    Returns:
        Tensor: Of shape (N, C, D).
    """
    seeds = seeds.flatten(2).to(features)
    total = seeds @ features.flatten(2).transpose(1, 2)
    return total / seeds.sum(dim=2, keepdim=True).clamp(min=1)


def image_specific_maps(prototypes: Tensor, features: Tensor) -> Tensor:
    r"""How like a prototype each pixel is: IS-CAM.

    .. math::
        \mathrm{IS}_{ci} = \operatorname{ReLU} \left( \frac {p_c \cdot H_i}
        {\| p_c \|_2 \| H_i \|_2} \right)

    Args:
        prototypes (Tensor): Of shape (N, C, D).
        features (Tensor): :math:`H`, of shape (N, D, h, w).

    Returns:
        Tensor: In [0, 1] but for rounding, of shape (N, C, h, w).
    """
    prototypes = F.normalize(prototypes, dim=2, eps=COSINE_EPS)
    pixels = F.normalize(features, dim=1, eps=COSINE_EPS)
    cosines = prototypes @ pixels.flatten(2)
    return cosines.relu().unflatten(2, features.shape[2:])

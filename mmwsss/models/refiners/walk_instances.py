# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from mmseg.registry import MODELS
from scipy import ndimage
from torch import Tensor

from mmwsss.ops import centroid_instances
from mmwsss.structures import Seed, resize_maps

from .walk_label import WalkLabel


@dataclass
class Instance:
    """One object of an image.

    Args:
        label (int): Its class id, 1-based.
        score (float): Its confidence in [0, 1].
        mask (np.ndarray): Its pixels, bool of shape (H, W).
    """

    label: int
    score: float
    mask: np.ndarray


@MODELS.register_module()
class WalkInstances(WalkLabel):
    """From a seed, boundaries and a displacement field to instance masks.

    The field splits the scores of each class into instances, which walk apart
    and compete like classes; the connected parts of what each wins are the
    masks. `IRN <https://arxiv.org/abs/1904.05044>`_ (Ahn et al., CVPR 2019).

    Args:
        *args: Arguments of :class:`WalkLabel`; the refiner is a
            :class:`RandomWalk`.
        weak_displacement (float): Displacements shorter than this are at a
            centroid. Defaults to 2.5.
        min_area (float): Masks that fill less of the image have a score of 0.
            Defaults to 0.01.
        **kwargs: Arguments of :class:`WalkLabel`.
    """

    bg_thr: float  # Walks without background have one.

    def __init__(self,
                 *args,
                 weak_displacement: float = 2.5,
                 min_area: float = 0.01,
                 **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if self.refiner.has_background:
            raise ValueError('instances need a walk without background, got '
                             f'{type(self.refiner).__name__}')
        self.weak_displacement = weak_displacement
        self.min_area = min_area

    def instances(self, seed: Seed, guide: Tensor,
                  displacement: Tensor) -> list[Instance]:
        """Find the instances of an image.

        Args:
            seed (Seed): The seed of the image.
            guide (Tensor): Boundary probabilities of shape (1, 1, h, w).
            displacement (Tensor): (dy, dx) of shape (2, h, w).

        Returns:
            list[Instance]: The instances, class by class.

        Raises:
            ValueError: If the field is not of the guide's size.
        """
        size = tuple(guide.shape[2:])
        if tuple(displacement.shape[1:]) != size:
            raise ValueError('displacement must have the size '
                             f'{size} of the guide, got '
                             f'{tuple(displacement.shape[1:])}')
        if not len(seed.labels):
            return []
        scores = resize_maps(seed.scores.to(guide.device), size)
        ids = centroid_instances(displacement, self.weak_displacement)
        masks = F.one_hot(ids).permute(2, 0, 1).to(scores)
        # Channels that are 0 stay 0 in a walk and win no pixel.
        split = (scores[:, None] * masks).flatten(0, 1)
        alive = split.flatten(1).any(dim=1)
        labels = seed.labels.to(guide.device).repeat_interleave(len(masks))[alive]
        if not len(labels):
            return []
        walked = self.walk_maps(split[alive], guide, seed.size)
        background = torch.full_like(walked[:1], self.bg_thr)
        best = torch.cat([background, walked]).argmax(0).cpu().numpy()
        found = []
        for i, (label, map_) in enumerate(
                zip(labels.tolist(), walked.cpu().numpy(), strict=True), 1):
            parts, number = ndimage.label(best == i)
            for part in range(1, number + 1):
                mask = parts == part
                large = mask.sum() >= self.min_area * mask.size
                score = min(float(map_[mask].max()), 1.) if large else 0.
                found.append(Instance(label, score, mask))
        return found

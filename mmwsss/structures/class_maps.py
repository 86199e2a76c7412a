# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class ClassMaps:
    """What a head answers about a batch of images.

    Everything that follows reads this one value: the head's losses, prediction,
    seeds, test-time augmentation and FSAE. It cannot be changed; a head that has
    more to say than its parent makes another by ``dataclasses.replace``.

    Args:
        maps (Tensor): Raw class maps that are trained, before any activation, of
            shape (N, C - 1, h, w), foreground only.
        logits (Tensor): Image-level logits of shape (N, C - 1), whose sigmoid is
            the probability of each class.
        background (Tensor, optional): The raw map of the background, of shape
            (N, 1, h, w), where the head has a channel for it.
        seed_maps (Tensor, optional): The maps that seeds and predictions are
            made of, where they differ from ``maps``: of shape (N, C - 1, h', w').
            Negative values count as 0. Read :attr:`maps_of_seeds` for either.
        seed_background (Tensor, optional): The background that goes with the maps
            of seeds, of shape (N, 1, h', w'). Both are scores in [0, 1] of one
            scale, and compete as they are. Without it the maps, each divided by
            its maximum, compete with a constant.
        extra (dict): What else the head's own losses need.

    Raises:
        ValueError: If shapes do not fit.
    """

    maps: Tensor
    logits: Tensor
    background: Tensor | None = None
    seed_maps: Tensor | None = None
    seed_background: Tensor | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.maps.ndim != 4 or self.logits.shape != self.maps.shape[:2]:
            raise ValueError(
                'maps must be of shape (N, C - 1, h, w) and logits of (N, C - 1), '
                f'got {tuple(self.maps.shape)} and {tuple(self.logits.shape)}')
        seed_shape = tuple(self.maps_of_seeds.shape)
        if len(seed_shape) != 4 or seed_shape[:2] != self.maps.shape[:2]:
            raise ValueError(
                f'seed_maps must be of shape {tuple(self.maps.shape[:2])} + '
                f"(h', w'), got {seed_shape}")
        for name, like in (('background', self.maps),
                           ('seed_background', self.maps_of_seeds)):
            value = getattr(self, name)
            expected = (len(like), 1, *like.shape[2:])
            if value is not None and tuple(value.shape) != expected:
                raise ValueError(f'{name} must be of shape {expected}, got '
                                 f'{tuple(value.shape)}')

    @classmethod
    def from_scores(cls, scores: Tensor) -> 'ClassMaps':
        """The answer of a stock segmentation head.

        Args:
            scores (Tensor): Logits of shape (N, C, h, w), background first; the
                image-level logits are their means.
        """
        maps = scores[:, 1:]
        return cls(maps, maps.mean(dim=(2, 3)), scores[:, :1])

    @property
    def scores(self) -> Tensor:
        """Tensor: ``background`` and ``maps``, of shape (N, C, h, w); of shape
        (N, C - 1, h, w) where the head has no background."""
        if self.background is None:
            return self.maps
        return torch.cat([self.background, self.maps], dim=1)

    @property
    def maps_of_seeds(self) -> Tensor:
        """Tensor: ``seed_maps``, or ``maps`` where there are none."""
        return self.maps if self.seed_maps is None else self.seed_maps

    @property
    def seed_scores(self) -> Tensor:
        """Tensor: ``seed_background`` and :attr:`maps_of_seeds`, as
        :attr:`scores`."""
        if self.seed_background is None:
            return self.maps_of_seeds
        return torch.cat([self.seed_background, self.maps_of_seeds], dim=1)

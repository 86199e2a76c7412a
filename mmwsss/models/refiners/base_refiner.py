# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from abc import ABCMeta, abstractmethod

from torch import Tensor, nn


class BaseRefiner(nn.Module, metaclass=ABCMeta):
    """What turns class scores into better ones with the help of a guide."""

    has_background = False
    """bool: Whether channel 0 of the scores, in and out, is background."""

    arguments: dict = {}
    """dict: What the refiner hands to its op."""

    @abstractmethod
    def forward(self, scores: Tensor, guide: Tensor) -> Tensor:
        """Refine scores.

        Args:
            scores (Tensor): Scores of shape (N, K, h, w) in [0, 1].
            guide (Tensor): Images, RGB in [0, 255], of shape (N, 3, H, W), or
                what else the refiner asks for.

        Returns:
            Tensor: Scores of shape (N, K, h', w').
        """

    def extra_repr(self) -> str:
        """The arguments in ``print(model)``."""
        return ', '.join(f'{key}={value}'
                         for key, value in self.arguments.items())

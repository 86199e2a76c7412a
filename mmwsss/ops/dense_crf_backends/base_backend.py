# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""What the backends of the dense CRF have in common."""

from abc import ABC, abstractmethod

from torch import Tensor


class BaseMeanField(ABC):
    """The dense CRF of one image, for any scores.

    Args:
        image (Tensor): RGB, uint8 of shape (H, W, 3).
        gaussian (tuple[float, float]): Deviation and weight of the smoothness
            kernel.
        bilateral (tuple[float, float, float]): Deviations of place and colour
            and weight of the appearance kernel.

    Raises:
        ImportError: If what the backend needs is missing.
        ValueError: If the deviations are too small for float32.
    """

    @abstractmethod
    def __init__(self, image: Tensor, gaussian: tuple,
                 bilateral: tuple) -> None:
        pass

    @abstractmethod
    def __call__(self, logits: Tensor, num_iter: int) -> Tensor:
        """Iterate.

        Args:
            logits (Tensor): Unary logits, float32 of shape (K, H, W), K > 1.
            num_iter (int): Iterations.

        Returns:
            Tensor: Probabilities of shape (K, H, W), where the backend computes.
        """

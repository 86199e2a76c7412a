# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from mmseg.registry import MODELS
from torch import Tensor, nn

from .prototypes import PrototypeView, prototype_nce


@MODELS.register_module()
class CrossLabelLoss(nn.Module):
    r"""Pixels are near their own view's prototype of the other view's label.

    PPC's cross-pseudo-label contrast, in the symbols of
    :class:`CrossPrototypeLoss`:

    .. math::
        \mathcal L = \frac \gamma 2
        \left( NCE(q_1, P_1, y_2) + NCE(q_2, P_2, y_1) \right)

    Args:
        temperature (float): Divides the cosines. Defaults to 0.1.
        loss_weight (float): :math:`\gamma`. Defaults to 0.1.
    """

    def __init__(self, temperature: float = 0.1, loss_weight: float = 0.1) -> None:
        super().__init__()
        self.temperature = temperature
        self.loss_weight = loss_weight

    def forward(self, first: PrototypeView, second: PrototypeView) -> Tensor:
        """Compute the loss of two views, a scalar."""
        loss = prototype_nce(
            first.pixels, first.prototypes, second.labels, self.temperature)
        loss = loss + prototype_nce(
            second.pixels, second.prototypes, first.labels, self.temperature)
        return self.loss_weight * loss / 2

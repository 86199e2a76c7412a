# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from mmseg.registry import MODELS
from torch import Tensor, nn

from .prototypes import PrototypeView, prototype_nce


@MODELS.register_module()
class CrossPrototypeLoss(nn.Module):
    r"""Pixels of one view are near the other view's prototype of their class.

    PPC's cross-prototype contrast. With pixels :math:`q`, prototypes :math:`P`
    and pseudo labels :math:`y` of two views, which hold the same pixels:

    .. math::
        NCE(q, P, y) = - \frac 1 {|q|} \sum_i \log
        \frac {\exp(q_i \cdot P_{y_i} / t)} {\sum_k \exp(q_i \cdot P_k / t)}, \quad
        \mathcal L = \frac \gamma 2
        \left( NCE(q_1, P_2, y_1) + NCE(q_2, P_1, y_2) \right)

    Args:
        temperature (float): :math:`t`. Defaults to 0.1.
        loss_weight (float): :math:`\gamma`. Defaults to 0.1.
    """

    def __init__(self, temperature: float = 0.1, loss_weight: float = 0.1) -> None:
        super().__init__()
        self.temperature = temperature
        self.loss_weight = loss_weight

    def forward(self, first: PrototypeView, second: PrototypeView) -> Tensor:
        """Compute the loss of two views, a scalar."""
        loss = prototype_nce(
            first.pixels, second.prototypes, first.labels, self.temperature)
        loss = loss + prototype_nce(
            second.pixels, first.prototypes, second.labels, self.temperature)
        return self.loss_weight * loss / 2

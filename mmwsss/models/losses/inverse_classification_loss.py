# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from mmseg.registry import MODELS
from torch import Tensor

from .multi_label_soft_margin_loss import MultiLabelSoftMarginLoss


@MODELS.register_module()
class InverseClassificationLoss(MultiLabelSoftMarginLoss):
    r"""The classification loss with its sign turned.

    Minimising it maximises the classification loss: a sampler in front of a
    frozen classifier then moves away from what decides the class. It has no
    lower bound, so its stage is stopped by iteration count.

    ESOL, Eq. 5, with ``loss_weight`` for :math:`\alpha`:

    .. math::
        L_{expansion} = -\alpha L(\hat y, y)

    Args:
        loss_weight (float): The factor ``alpha``. Defaults to 0.01.
        loss_name (str): Name in the log. Defaults to 'loss_inverse'.
    """

    def __init__(self,
                 loss_weight: float = 0.01,
                 loss_name: str = 'loss_inverse') -> None:
        super().__init__(loss_weight, loss_name)

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Compute ``-alpha * L_cls``; see
        :class:`MultiLabelSoftMarginLoss`."""
        return -super().forward(logits, labels)

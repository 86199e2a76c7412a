# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from mmseg.registry import MODELS
from torch import Tensor, nn

from mmwsss.ops import max_norm


@MODELS.register_module()
class GSCLoss(nn.Module):
    r"""General-specific consistency: CAM and IS-CAM agree.

    Both learn: the classifier's maps :math:`n` and, through pixels and
    prototypes, the feature of IS-CAM. `Self-supervised Image-specific Prototype
    Exploration <https://arxiv.org/abs/2203.02909>`_ (SIPE, CVPR 2022).

    .. math::
        \mathcal L_{GSC} = \frac 1 {(C + 1) |V|} \sum_{c = 0}^C \sum_{i \in V}
        \left| n_{ci} - \frac {\mathrm{IS}_{ci}} {\max_j \mathrm{IS}_{cj} +
        10^{-5}} \right|

    Absent classes are 0 in both and count in the mean, as in the published code.

    Args:
        loss_weight (float): Factor of the loss. Defaults to 1.
    """

    def __init__(self, loss_weight: float = 1.) -> None:
        super().__init__()
        self.loss_weight = loss_weight

    def forward(self,
                general: Tensor,
                specific: Tensor,
                valid: Tensor | None = None) -> Tensor:
        """Compute the loss.

        Args:
            general (Tensor): The classifier's maps in [0, 1] of shape
                (N, C, h, w), background first.
            specific (Tensor): IS-CAM, of the same shape, not normalised.
            valid (Tensor, optional): :math:`V`, bool of shape (N, 1, h, w).
                Defaults to None: all pixels.

        Returns:
            Tensor: The weighted loss, a scalar.
        """
        if valid is None:
            difference = (general - max_norm(specific)).abs()
            return self.loss_weight * difference.mean()
        valid = valid.to(general)
        difference = (general - max_norm(specific * valid)).abs() * valid
        count = valid.sum().clamp(min=1) * general.shape[1]
        return self.loss_weight * difference.sum() / count

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import torch
from mmseg.registry import MODELS
from torch import Tensor

from .pixel_cross_entropy_loss import PixelCrossEntropyLoss


@MODELS.register_module()
class BalancedCrossEntropyLoss(PixelCrossEntropyLoss):
    r"""Cross entropy in which background and foreground weigh the same.

    The mean over background pixels plus the mean over foreground pixels, each
    of the whole batch over all processes. If one kind is absent its term is 0.
    With ``loss_weight=0.5`` it has the scale of plain cross entropy.

    Paper: `Weakly-Supervised Semantic Segmentation Network with Deep Seeded
    Region Growing
    <https://openaccess.thecvf.com/content_cvpr_2018/html/Huang_Weakly-Supervised_Semantic_Segmentation_CVPR_2018_paper.html>`_,
    Eq. 2.

    .. math::
        \ell = -\frac 1 {\sum_{c \in \mathcal C} |S_c|} \sum_{c \in \mathcal C}
        \sum_{u \in S_c} \log H_{u, c}
        - \frac 1 {\sum_{c \in \bar{\mathcal C}} |S_c|} \sum_{c \in \bar{\mathcal C}}
        \sum_{u \in S_c} \log H_{u, c}

    Args:
        loss_weight (float): Factor of the loss. Defaults to 1.
        loss_name (str): Name in the log. Defaults to 'loss_balanced_ce'.
    """

    def __init__(self,
                 loss_weight: float = 1.,
                 loss_name: str = 'loss_balanced_ce') -> None:
        super().__init__(loss_weight, loss_name)

    def groups(self, label: Tensor, ignore_index: int) -> Tensor:
        """Background (index 0) pixels, and valid others."""
        background = label == 0
        return torch.stack([background, ~background & (label != ignore_index)])

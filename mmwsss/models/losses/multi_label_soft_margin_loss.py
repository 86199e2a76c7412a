# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import torch
import torch.nn.functional as F
from mmseg.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class MultiLabelSoftMarginLoss(nn.Module):
    r"""Binary cross entropy of each class against the rest.

    The mean over classes and images of
    ``-[y log sigmoid(x) + (1 - y) log sigmoid(-x)]``.

    ESOL, Eq. 1, and single-stage segmentation, Eq. 6 (there :math:`z` are the labels):

    .. math::
        L(\hat y, y) = -\frac 1 C \sum_{i=1}^C y[i] \log \frac 1 {1 + e^{-\hat y[i]}}
        + (1 - y[i]) \log \frac {e^{-\hat y[i]}} {1 + e^{-\hat y[i]}}

    Args:
        loss_weight (float): Factor of the loss. Defaults to 1.
        loss_name (str): Name in the log. Defaults to 'loss_cls'.
    """

    def __init__(self,
                 loss_weight: float = 1.,
                 loss_name: str = 'loss_cls') -> None:
        super().__init__()
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Compute the loss.

        Args:
            logits (Tensor): Class logits of shape (N, C).
            labels (Tensor): Multi-hot image labels of shape (N, C).

        Returns:
            Tensor: The weighted loss, a scalar.

        Raises:
            ValueError: If the two shapes differ.
        """
        if logits.shape != labels.shape:
            raise ValueError(
                f'class logits {tuple(logits.shape)} and image labels '
                f'{tuple(labels.shape)} differ in shape')
        if logits.dtype != torch.float64:
            logits = logits.float()
        loss = F.multilabel_soft_margin_loss(logits, labels.to(logits))
        return self.loss_weight * loss

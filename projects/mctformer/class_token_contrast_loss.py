# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import torch
import torch.nn.functional as F
from mmseg.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class ClassTokenContrastLoss(nn.Module):
    r"""Each class token is most like itself.

    The contrast of class tokens of `MCTformer+: Multi-Class Token Transformer for
    Weakly Supervised Semantic Segmentation <https://arxiv.org/abs/2308.03005>`_: the
    cosines of a token to all tokens of its image, the logits, are to name the token.
    With the tokens :math:`T_{l,c}` behind block l and the labels y of an image, the
    mean over images of

    .. math::
        \mathcal L = - \frac 1 L \sum_l \frac {\sum_c y_c \log
        \frac {e^{\cos(T_{l,c}, T_{l,c})}} {\sum_k e^{\cos(T_{l,c}, T_{l,k})}}}
        {\sum_c y_c}

    The cosine of a token with itself is 1, so that the least value for C classes
    is :math:`\log(1 + (C - 1) e^{-C / (C - 1)})`, not 0: tokens that point away from
    each other. An image without labels adds 0.

    Args:
        last_layers (int, optional): How many of the last blocks take part.
            Defaults to None, all.
        loss_weight (float): Factor of the loss. Defaults to 1.
    """

    def __init__(self,
                 last_layers: int | None = None,
                 loss_weight: float = 1.) -> None:
        super().__init__()
        if last_layers is not None and last_layers < 1:
            raise ValueError(f'last_layers must be positive, got {last_layers}')
        self.last_layers = last_layers
        self.loss_weight = loss_weight

    def forward(self, tokens: Tensor, labels: Tensor) -> Tensor:
        """Compute the loss.

        Args:
            tokens (Tensor): Class tokens of shape (L, N, C, D).
            labels (Tensor): Multi-hot labels of shape (N, C).

        Returns:
            Tensor: The weighted loss, a scalar.

        Raises:
            ValueError: If the shapes do not fit.
        """
        if tokens.shape[1:3] != labels.shape:
            raise ValueError(
                f'class tokens of shape {tuple(tokens.shape)} do not fit labels of '
                f'{tuple(labels.shape)}')
        if self.last_layers is not None:
            tokens = tokens[-self.last_layers:]
        if tokens.dtype != torch.float64:
            tokens = tokens.float()
        units = F.normalize(tokens, dim=-1)
        cosines = units @ units.transpose(2, 3)
        itself = cosines.log_softmax(dim=-1).diagonal(dim1=2, dim2=3)
        losses = -(itself * labels).sum(dim=2).mean(dim=0)
        return self.loss_weight * (losses / (labels.sum(dim=1) + 1e-8)).mean()

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import torch
import torch.nn.functional as F
from mmseg.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class SelfLabelLoss(nn.Module):
    r"""Class-balanced cross entropy with labels that the network made itself.

    `Single-Stage Semantic Segmentation from Image Labels
    <https://arxiv.org/abs/2005.08104>`_ (CVPR 2020), Section 3.3. Per image,
    a pixel of class c weighs ``(N - N_c) / (N + 1)`` with the numbers of
    labelled pixels of all classes and of this one, and the mean goes over all
    pixels, undecided ones included. Images that do not show background and
    every class of their image labels are discarded: they count as 0. Then the
    mean over images.

    The paper gives no equation; with :math:`N_c` labelled pixels of class c, N of
    all, the softmax masks m and the label :math:`\ell`:

    .. math::
        \mathcal L_{seg} = -\frac 1 {hw} \sum_{i, j:\, \ell_{i,j} \neq 255}
        \frac {N - N_{\ell_{i,j}}} {N + 1} \log m_{\ell_{i,j}, i, j}

    Args:
        balance (str): ``'complement'``, the weight above, which is that of the
            paper's code, or ``'inverse'``, the paper's text: the mean over the
            classes present of the mean over their pixels. Defaults to
            'complement'.
        discard (bool): Whether to discard images. Defaults to True.
        loss_weight (float): Factor of the loss. Defaults to 1.
        loss_name (str): Name in the log. Defaults to 'loss_mask'.

    Raises:
        ValueError: If ``balance`` is unknown.
    """

    def __init__(self,
                 balance: str = 'complement',
                 discard: bool = True,
                 loss_weight: float = 1.,
                 loss_name: str = 'loss_mask') -> None:
        super().__init__()
        if balance not in ('complement', 'inverse'):
            raise ValueError("balance must be 'complement' or 'inverse', got "
                             f'{balance!r}')
        self.balance = balance
        self.discard = discard
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    def forward(self, logits: Tensor, labels: Tensor,
                tags: Tensor) -> Tensor:
        """Compute the loss.

        Args:
            logits (Tensor): Class logits of shape (N, C, H, W), background
                first.
            labels (Tensor): Class ids of shape (N, H, W); 255 is undecided.
            tags (Tensor): Multi-hot labels of the foreground classes,
                of shape (N, C - 1).

        Returns:
            Tensor: The weighted loss, a scalar; 0 with zero gradients if every
            pixel is undecided or every image discarded.
        """
        counts = self._count(labels, logits.shape[1])
        if self.balance == 'complement':
            total = counts.sum(dim=1, keepdim=True)
            weights = (total - counts) / (1 + total)
        else:
            present = (counts > 0).sum(dim=1, keepdim=True).clamp(min=1)
            pixels = labels[0].numel()
            weights = pixels / (counts.clamp(min=1) * present)
        if self.discard:
            weights = weights * self.kept(labels, tags)[:, None]
        decided = labels != 255
        pixel_weights = weights.gather(
            1, labels.masked_fill(~decided, 0).flatten(1)).view_as(labels)
        loss = F.cross_entropy(
            logits.float(), labels, reduction='none', ignore_index=255)
        # A product would make NaN of 0 and an infinite loss.
        pixel_weights = pixel_weights * decided
        loss = torch.where(pixel_weights > 0, loss * pixel_weights, 0.)
        return self.loss_weight * loss.mean()

    def kept(self, labels: Tensor, tags: Tensor) -> Tensor:
        """Which images count, bool of shape (N,): those with pixels of as many
        classes as they have labels, background included."""
        classes = tags.shape[1] + 1
        found = (self._count(labels, classes) > 0).sum(dim=1)
        return found == tags.sum(dim=1) + 1

    @staticmethod
    def _count(labels: Tensor, classes: int) -> Tensor:
        """Pixels of each class, of shape (N, C)."""
        flat = labels.flatten(1)
        decided = flat != 255
        counts = torch.zeros((len(flat), classes), device=labels.device)
        return counts.scatter_add_(
            1, flat.masked_fill(~decided, 0), decided.float())

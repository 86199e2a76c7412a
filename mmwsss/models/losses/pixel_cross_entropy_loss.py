# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import torch
import torch.nn.functional as F
from mmengine.dist import all_reduce, get_world_size
from mmseg.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class PixelCrossEntropyLoss(nn.Module):
    r"""Cross entropy, averaged over the valid pixels of the whole batch.

    The whole batch is that of all processes: pixels are counted across them, so
    that several processes with a part of the batch each get the gradient of one
    process with all of it. (mmseg's ``CrossEntropyLoss`` averages over each
    process' own valid pixels, or over ignored ones too.)

    SANCE, Eq. 5:

    .. math::
        \mathcal L_S(M, Y) =
        -\frac 1 {N_s} \sum_{\{i | Y_i \neq 255\}} \log M_{Y_i, i}

    Args:
        loss_weight (float): Factor of the loss. Defaults to 1.
        loss_name (str): Name in the log. Defaults to 'loss_ce'.
    """

    def __init__(self,
                 loss_weight: float = 1.,
                 loss_name: str = 'loss_ce') -> None:
        super().__init__()
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    def groups(self, label: Tensor, ignore_index: int) -> Tensor:
        """Say which pixels are averaged together.

        Args:
            label (Tensor): Class indices of shape (N, h, w).
            ignore_index (int): The index that is in no group.

        Returns:
            Tensor: Boolean masks of shape (G, N, h, w); the loss is the sum of
            the G means.
        """
        return (label != ignore_index)[None]

    def forward(self,
                logits: Tensor,
                label: Tensor,
                weight: Tensor | None = None,
                ignore_index: int = 255) -> Tensor:
        """Compute the loss.

        Args:
            logits (Tensor): Class logits of shape (N, C, h, w).
            label (Tensor): Class indices of shape (N, h, w).
            weight (Tensor, optional): Factor of each pixel, of shape (N, h, w).
                It does not change the count that divides.
            ignore_index (int): Pixels with this label count nowhere. Defaults
                to 255.

        Returns:
            Tensor: The weighted loss, a scalar; 0 with zero gradients if no
            pixel is valid.
        """
        loss = F.cross_entropy(
            logits.float(), label, reduction='none', ignore_index=ignore_index)
        if weight is not None:
            loss = loss * weight
        groups = self.groups(label, ignore_index)
        counts = groups.sum(dim=(1, 2, 3)).to(loss)
        all_reduce(counts)
        sums = torch.where(groups, loss, 0.).sum(dim=(1, 2, 3))
        # DistributedDataParallel divides gradients by the number of processes.
        means = sums * get_world_size() / counts.clamp(min=1)
        return self.loss_weight * means.sum()

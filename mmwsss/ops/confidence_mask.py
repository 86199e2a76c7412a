# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import torch
from torch import Tensor


def confidence_mask(
        logits: Tensor,
        threshold: float,
        valid: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
    r"""Where a pixel's best class is sure enough to be a pseudo label.

    FSAE, Eqs. 5 and 6. Gradients do not flow, and half precision is left
    before the softmax.

    .. math::
        P_s = \operatorname{argmax}(S_s), \quad M_i = \begin{cases}
        1 & \text{if } \operatorname{softmax}(S_s)_i \ge \tau_{FAE} \\
        0 & \text{otherwise} \end{cases}

    Args:
        logits (Tensor): Class logits of shape (N, C, h, w), background among
            them. ``-inf`` rules a class out.
        threshold (float): Least probability of the best class. Above 1 nothing
            is sure.
        valid (Tensor, optional): Bool of shape (N, h, w); pixels that may be
            labelled at all. Defaults to None, all.

    Returns:
        tuple[Tensor, Tensor, Tensor]: The mask (bool), the probability of the
        best class (float32 or float64) and the best class (int64), each of
        shape (N, h, w).

    Raises:
        ValueError: If ``logits`` is not 4-D, or ``valid`` does not fit it.
    """
    if logits.ndim != 4:
        raise ValueError(
            f'logits must be (N, C, h, w), got {tuple(logits.shape)}')
    logits = logits.detach()
    if logits.dtype != torch.float64:
        logits = logits.float()
    confidence, labels = logits.softmax(dim=1).max(dim=1)
    mask = confidence >= threshold
    if valid is not None:
        if valid.shape != mask.shape or valid.dtype != torch.bool:
            raise ValueError(
                f'valid must be bool of shape {tuple(mask.shape)}, got '
                f'{valid.dtype} of shape {tuple(valid.shape)}')
        mask = mask & valid
    return mask, confidence, labels

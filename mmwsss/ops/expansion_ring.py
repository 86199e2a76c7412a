# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import torch
import torch.nn.functional as F
from torch import Tensor


def expansion_ring(mask: Tensor,
                   confidence: Tensor,
                   kernel_size: int = 3,
                   threshold: float = 0.8) -> Tensor:
    r"""The pixels around a mask that are themselves fairly sure.

    The mask dilated by a square, without the mask, where the confidence
    reaches a second threshold. FSAE, Eq. 7. All classes dilate together; which
    label a pixel of the ring gets is not decided here.

    .. math::
        M_{bdry, i} = \begin{cases}
        1 & \text{if } (\operatorname{Dilation}(M) - M)_i = 1 \text{ and }
        \operatorname{softmax}(S_s)_i \ge \tau_{SAE} \\
        0 & \text{otherwise} \end{cases}

    Args:
        mask (Tensor): Bool of shape (N, h, w).
        confidence (Tensor): Of shape (N, h, w).
        kernel_size (int): Side of the square, odd; 1 gives an empty ring.
            Defaults to 3.
        threshold (float): Least confidence. Defaults to 0.8.

    Returns:
        Tensor: Bool of shape (N, h, w).

    Raises:
        ValueError: If ``mask`` is not bool and 3-D, ``confidence`` has another
            shape, or ``kernel_size`` is not odd and positive.
    """
    if mask.ndim != 3 or mask.dtype != torch.bool:
        raise ValueError('mask must be bool of shape (N, h, w), got '
                         f'{mask.dtype} of shape {tuple(mask.shape)}')
    if confidence.shape != mask.shape:
        raise ValueError(f'confidence must have the shape {tuple(mask.shape)} '
                         f'of the mask, got {tuple(confidence.shape)}')
    if kernel_size < 1 or kernel_size % 2 == 0:
        raise ValueError(
            f'kernel_size must be odd and positive, got {kernel_size}')
    dilated = F.max_pool2d(
        mask.float(), kernel_size, stride=1, padding=kernel_size // 2) > 0
    return dilated & ~mask & (confidence >= threshold)

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import torch
from torch import Tensor


def ngwp_scores(logits: Tensor,
                bg_logit: float = 1.0,
                eps: float = 1.0,
                focal_p: float = 3.0,
                focal_lambda: float | None = 0.01) -> Tensor:
    r"""Pool pixel logits into class scores: nGWP with focal size penalty.

    A softmax over the logits and a constant background logit gives masks; each
    class's logits are averaged with its own mask as weights, so that a small
    object scores as high as a large one. A penalty on the mean of the mask
    keeps it from vanishing. `Single-Stage Semantic Segmentation from Image
    Labels <https://arxiv.org/abs/2005.08104>`_ (CVPR 2020). The gradient flows
    through the masks too.

    Single-stage segmentation, Eqs. 3, 4 and 5, with masks m; the result is the sum of
    the first and the last, which for p = 0 is the second:

    .. math::
        y_c^{nGWP} = \frac {\sum_{i,j} m_{c,i,j} y_{c,i,j}}
        {\epsilon + \sum_{i',j'} m_{c,i',j'}}, \quad
        y_c^{size} = \log\left(\lambda + \frac 1 {hw} \sum_{i,j} m_{c,i,j}\right)

        y_c^{size-focal} = (1 - \bar m_c)^p \log(\lambda + \bar m_c), \quad
        \bar m_c = \frac 1 {hw} \sum_{i,j} m_{c,i,j}

    Args:
        logits (Tensor): Foreground logits of shape (N, C, h, w).
        bg_logit (float): The background logit of every pixel. Defaults to 1.
        eps (float): Added to the sum of the weights. The paper calls it small,
            its code has 1. Defaults to 1.
        focal_p (float): Power of the penalty's factor ``(1 - mean)``; 0 is the
            plain penalty, the second formula. Defaults to 3.
        focal_lambda (float, optional): Added to the mean before the logarithm;
            None for no penalty. Defaults to 0.01.

    Returns:
        Tensor: Scores of shape (N, C); the probability of a class is their
        sigmoid. In single precision or better.

    Raises:
        ValueError: If a shape or number is not as above.
    """
    if logits.ndim != 4 or not logits.shape[2:].numel():
        raise ValueError('logits must have the shape (N, C, h, w), got '
                         f'{tuple(logits.shape)}')
    if eps < 0 or focal_p < 0:
        raise ValueError('eps and focal_p must be at least 0, got '
                         f'{eps} and {focal_p}')
    if focal_lambda is not None and focal_lambda <= 0:
        raise ValueError(
            f'focal_lambda must be positive or None, got {focal_lambda}')
    if logits.dtype != torch.float64:
        logits = logits.float()
    masks = softmax_masks(logits, bg_logit)[:, 1:]
    scores = (masks * logits).sum((2, 3)) / (eps + masks.sum((2, 3)))
    if focal_lambda is not None:
        size = masks.mean((2, 3))
        scores = scores + (1 - size)**focal_p * (focal_lambda + size).log()
    return scores


def with_background_logit(logits: Tensor, bg_logit: float) -> Tensor:
    """Put the constant logit before logits (N, C, h, w): (N, C + 1, h, w)."""
    background = torch.full_like(logits[:, :1], bg_logit)
    return torch.cat([background, logits], dim=1)


def softmax_masks(logits: Tensor, bg_logit: float) -> Tensor:
    """Masks (N, C + 1, h, w) of foreground logits, background first."""
    return with_background_logit(logits, bg_logit).softmax(dim=1)

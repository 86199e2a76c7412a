# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import torch
import torch.nn.functional as F
from torch import Tensor, nn


class StochasticGate(nn.Module):
    r"""Mix deep and shallow features at random, so that errors do not settle.

    In training each element of the output is the shallow feature with
    probability ``rate`` and else the deep one, drawn anew in every call; in
    evaluation it is ``(1 - rate) * deep + rate * shallow``. `Single-Stage
    Semantic Segmentation from Image Labels <https://arxiv.org/abs/2005.08104>`_
    (CVPR 2020).

    Single-stage segmentation, Eqs. 9 and 10, in training and in evaluation:

    .. math::
        x^{SG} = (1 - r) x^{(d)} + r x^{(s)}, \; r \sim \mathrm{Bernoulli}(\psi),
        \quad x^{SG} = (1 - \psi) x^{(d)} + \psi x^{(s)}

    Args:
        rate (float): The mixing rate ``psi`` in [0, 1). Defaults to 0.3.
        shift (bool): Whether training mixes ``(deep - rate * shallow) /
            (1 - rate)`` in place of ``deep``, as the paper's code does: the
            mean over draws is then ``deep``, and not what evaluation returns,
            which it is without. Defaults to True.
        deterministic (bool): Whether training returns the same as evaluation.
            Defaults to False.
        per_pixel (bool): Whether all channels of a pixel are drawn together, as
            the paper says, and not each for itself, as its code does. Defaults
            to False.

    Raises:
        ValueError: If the rate is outside [0, 1).
    """

    def __init__(self,
                 rate: float = 0.3,
                 shift: bool = True,
                 deterministic: bool = False,
                 per_pixel: bool = False) -> None:
        super().__init__()
        if not 0 <= rate < 1:
            raise ValueError(f'the rate must lie in [0, 1), got {rate}')
        self.rate = rate
        self.shift = shift
        self.deterministic = deterministic
        self.per_pixel = per_pixel

    def forward(self, deep: Tensor, shallow: Tensor) -> Tensor:
        """Mix two maps of the same shape (N, C, h, w)."""
        if deep.shape != shallow.shape:
            raise ValueError(f'deep {tuple(deep.shape)} and shallow '
                             f'{tuple(shallow.shape)} features differ in shape')
        if self.deterministic or not self.training:
            return torch.lerp(deep, shallow, self.rate)
        drawn = deep[:, :1] if self.per_pixel else deep
        keeps_deep = F.dropout(torch.ones_like(drawn), self.rate) > 0
        if self.shift:
            deep = (deep - self.rate * shallow) / (1 - self.rate)
        return torch.where(keeps_deep, deep, shallow)

    def extra_repr(self) -> str:
        """The parameters in ``print(model)``."""
        return (f'rate={self.rate}, shift={self.shift}, '
                f'deterministic={self.deterministic}, per_pixel={self.per_pixel}')

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from collections.abc import Sequence

from mmseg.registry import MODELS
from torch import Tensor

from mmwsss.ops import pamr
from mmwsss.ops.pamr import PAR_DISTANCE

from .base_refiner import BaseRefiner


@MODELS.register_module()
class PAMR(BaseRefiner):
    """Pixel-adaptive mask refinement: fast, without parameters.

    See :func:`mmwsss.ops.pamr`.

    Args:
        num_iter (int): Iterations. Defaults to 10.
        dilations (Sequence[int]): Distances of the neighbours in pixels.
            Defaults to (1, 2, 4, 8, 12, 24).
        variance (bool): Whether to divide colour differences by the variance,
            as in the paper. Defaults to False: by a tenth of the deviation.
        weights (str): ``'pamr'``, or ``'par'``, whose scores are divided by what they
            grow. Defaults to 'pamr'.
    """

    has_background = True

    def __init__(self,
                 num_iter: int = 10,
                 dilations: Sequence[int] = (1, 2, 4, 8, 12, 24),
                 variance: bool = False,
                 weights: str = 'pamr') -> None:
        super().__init__()
        self.arguments = dict(
            num_iter=num_iter, dilations=tuple(dilations), variance=variance,
            weights=weights)
        self.growth = (1 + PAR_DISTANCE)**num_iter if weights == 'par' else 1.

    def forward(self, scores: Tensor, guide: Tensor) -> Tensor:
        """Refine scores (N, K, h, w) at the size of images (N, 3, H, W)."""
        # Rounded weights may add up to a hair more than 1.
        return (pamr(scores, guide, **self.arguments) / self.growth).clamp(0, 1)

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""A class activation map head with log-sum-exp pooling.

The method is from `From Image-level to Pixel-level Labeling with Convolutional
Networks <https://arxiv.org/abs/1411.6228>`_ (CVPR 2015), Section 3.2. Here it
is the example of a method that lives outside mmwsss.
"""

from math import log

from mmseg.registry import MODELS
from torch import Tensor

from mmwsss.models.heads import CAMHead


@MODELS.register_module()
class LSEHead(CAMHead):
    """CAMHead whose image-level logit is a soft maximum of the class map.

    The mean of a map asks a class to be everywhere; the maximum, only to be
    somewhere. Log-sum-exp pooling lies between the two: it becomes the mean for
    a small ``sharpness`` and the maximum for a large one.

    Args:
        *args: Arguments of :class:`CAMHead`.
        sharpness (float): ``r`` of the paper. Defaults to 4.
        **kwargs: Arguments of :class:`CAMHead`.

    Raises:
        ValueError: If ``sharpness`` is not positive.
    """

    def __init__(self, *args, sharpness: float = 4., **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if sharpness <= 0:
            raise ValueError(f'sharpness must be positive, got {sharpness}')
        self.sharpness = sharpness

    def pool(self, class_maps: Tensor) -> Tensor:
        """Pool class maps into image-level logits.

        Args:
            class_maps (Tensor): Raw class maps (N, C - 1, h, w).

        Returns:
            Tensor: Logits (N, C - 1), ``1/r log(mean(exp(r s)))`` of each map.
        """
        # In half precision, the exponential would overflow from 11 on.
        scores = self.sharpness * class_maps.float().flatten(2)
        pooled = scores.logsumexp(dim=2) - log(scores.shape[2])
        return pooled / self.sharpness

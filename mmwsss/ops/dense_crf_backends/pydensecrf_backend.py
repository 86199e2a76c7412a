# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Mean field by pydensecrf, the reference of the others."""

import numpy as np
import torch
from torch import Tensor

from .base_backend import BaseMeanField


class MeanField(BaseMeanField):
    """Mean field by pydensecrf, on the CPU."""

    def __init__(self, image: Tensor, gaussian: tuple,
                 bilateral: tuple) -> None:
        try:
            from pydensecrf.densecrf import DenseCRF2D
        except ImportError as error:
            raise ImportError(
                "backend='pydensecrf' needs pydensecrf, which builds with a C++ "
                'compiler (docs/en/install.md says how); the other backends do '
                f'not need it ({error})') from error
        self._crf = DenseCRF2D
        self.image = np.ascontiguousarray(image.cpu().numpy())
        self.gaussian = gaussian
        self.bilateral = bilateral

    def __call__(self, logits: Tensor, num_iter: int) -> Tensor:
        """Iterate; see :class:`BaseMeanField`."""
        labels, height, width = logits.shape
        crf = self._crf(width, height, labels)
        crf.setUnaryEnergy(
            np.ascontiguousarray(-logits.cpu().numpy().reshape(labels, -1)))
        crf.addPairwiseGaussian(sxy=self.gaussian[0], compat=self.gaussian[1])
        crf.addPairwiseBilateral(
            sxy=self.bilateral[0], srgb=self.bilateral[1], rgbim=self.image,
            compat=self.bilateral[2])
        result = np.array(crf.inference(num_iter), np.float32)
        return torch.from_numpy(result).view(logits.shape)

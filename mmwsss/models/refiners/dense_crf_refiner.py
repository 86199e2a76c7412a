# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import torch
from mmseg.registry import MODELS
from torch import Tensor

from mmwsss.ops import dense_crf
from mmwsss.ops.dense_crf_backends import choose_backend
from mmwsss.structures import resize_maps
from mmwsss.utils.crf_presets import CRF_PRESETS

from .base_refiner import BaseRefiner


@MODELS.register_module()
class DenseCRF(BaseRefiner):
    """Dense CRF with the parameters of a published method.

    Scores of one image in a row, such as those of two thresholds, share what is
    made from the image.

    Args:
        preset (str): A name in ``CRF_PRESETS``. Defaults to ``'irn_label'``.
        scale_factor (float): Divides the spatial deviations, for scores and
            images that were reduced by it. Defaults to 1.
        **overrides: Arguments of :func:`mmwsss.ops.dense_crf` in place of the
            preset's.

    Raises:
        ValueError: If the preset is unknown or the factor not positive.
    """

    has_background = True

    def __init__(self,
                 preset: str = 'irn_label',
                 scale_factor: float = 1,
                 **overrides) -> None:
        super().__init__()
        if preset not in CRF_PRESETS:
            raise ValueError(f'unknown CRF preset {preset!r}, expected one of '
                             f'{", ".join(CRF_PRESETS)}')
        if scale_factor <= 0:
            raise ValueError(
                f'scale_factor must be positive, got {scale_factor}')
        arguments = {**CRF_PRESETS[preset], **overrides}
        for kernel in ('gaussian', 'bilateral'):
            spatial, *rest = arguments[kernel]
            arguments[kernel] = (spatial / scale_factor, *rest)
        self.preset = preset
        self.arguments = arguments

    def forward(self, scores: Tensor, guide: Tensor) -> Tensor:
        """Refine scores (N, K, h, w) with images (N, 3, H, W) at their size.

        Smaller scores are resized first (bilinear, align_corners False).
        """
        if scores.shape[2:] != guide.shape[2:]:
            scores = resize_maps(scores, guide.shape[2:]).clamp(0, 1)
        return dense_crf(scores, guide, **self.arguments)

    def describe(self, device: str = 'cpu') -> str:
        """What a protocol says of it: backend on that device, and preset."""
        backend = choose_backend(
            self.arguments.get('backend', 'auto'), torch.device(device))
        return f'dense CRF ({backend}), {self.preset}'

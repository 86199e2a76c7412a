# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import torch
from mmseg.registry import MODELS
from torch import Tensor
from torch.nn import functional as F

from mmwsss.ops import dense_crf
from mmwsss.ops.dense_crf_backends import choose_backend

from .base_refiner import BaseRefiner

CRF_PRESETS = dict(
    # IRN, AdvCAM and SIPE labels; PPC's seed PNGs.
    irn_label=dict(
        unary='labels', gt_prob=0.7, gaussian=(3, 3), bilateral=(50, 5, 10),
        num_iter=10),
    # PSA, SEAM, EPS and MCTformer for affinity labels; single-stage.
    psa=dict(
        unary='softmax', gaussian=(3, 3), bilateral=(80, 13, 10),
        num_iter=10),
    # PPC on EPS, with background (1 - max) ** 8.
    eps_ppc=dict(
        unary='softmax', gaussian=(3, 3), bilateral=(80, 13, 10), num_iter=5),
    # SEAM's segmentation test.
    seam_test=dict(
        unary='softmax', gaussian=(3, 3), bilateral=(32, 13, 10), num_iter=1),
    # deeplab-pytorch; the text of EPS.
    deeplab=dict(
        unary='softmax', gaussian=(1, 3), bilateral=(67, 3, 4), num_iter=10),
    # MCTformer's segmentation.
    mctformer=dict(
        unary='softmax', gaussian=(4, 3), bilateral=(83, 5, 3), num_iter=10),
    afa=dict(
        unary='softmax', gaussian=(3, 3), bilateral=(64, 5, 4), num_iter=10),
)
"""Parameters that published code uses, arguments of ``ops.dense_crf``."""


@MODELS.register_module()
class DenseCRF(BaseRefiner):
    """Dense CRF with the parameters of a published method.

    Scores of one photo in a row, such as those of two thresholds, share what is
    made from the photo.

    Args:
        preset (str): A name in ``CRF_PRESETS``. Defaults to ``'irn_label'``.
        scale_factor (float): Divides the spatial deviations, for scores and
            photos that were reduced by it. Defaults to 1.
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
        """Refine scores (N, K, h, w) with photos (N, 3, H, W) at their size.

        Smaller scores are resized first (bilinear, align_corners False).
        """
        if scores.shape[2:] != guide.shape[2:]:
            scores = F.interpolate(
                scores, size=guide.shape[2:], mode='bilinear',
                align_corners=False).clamp(0, 1)
        return dense_crf(scores, guide, **self.arguments)

    def describe(self, device: str = 'cpu') -> str:
        """What a protocol says of it: backend on that device, and preset."""
        backend = choose_backend(
            self.arguments.get('backend', 'auto'), torch.device(device))
        return f'dense CRF ({backend}), {self.preset}'

    def extra_repr(self) -> str:
        """The parameters in ``print(model)``."""
        return ', '.join(f'{key}={value}'
                         for key, value in self.arguments.items())

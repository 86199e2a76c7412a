# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import torch.nn.functional as F
from mmseg.registry import MODELS
from torch import Tensor

from mmwsss.ops import affinity_walk, random_walk
from mmwsss.structures import resize_maps

from .base_refiner import BaseRefiner


@MODELS.register_module()
class RandomWalk(BaseRefiner):
    """Spreads class scores inside boundaries: :func:`mmwsss.ops.random_walk`.

    The guide is a boundary map in [0, 1]. Scores carry no background: IRN puts a
    constant against the outcome. SIPE's do, and it walks like a class.

    Args:
        radius (int): Pixels that a step reaches are closer than this. Defaults
            to 5.
        beta (float): The power of affinities. Defaults to 10.
        steps (int): Length of the walk. Defaults to 256.
        stride (int): Pixels of an image that one of the guide stands for.
            Defaults to 4.
        power (float): What scores of the guide's size are raised to before they
            walk; SIPE takes 1.5. Defaults to 1.
        has_background (bool): Whether channel 0 of the scores is background.
            Defaults to False.
    """

    def __init__(self,
                 radius: int = 5,
                 beta: float = 10,
                 steps: int = 256,
                 stride: int = 4,
                 power: float = 1.,
                 has_background: bool = False) -> None:
        super().__init__()
        self.arguments = dict(radius=radius, beta=beta, steps=steps)
        self.stride = stride
        self.power = power
        self.has_background = has_background

    def forward(self, scores: Tensor, guide: Tensor) -> Tensor:
        """Refine scores (N, K, H, W) with boundaries (N, 1, h, w).

        Scores of another size are resized first (bilinear, align_corners
        False); the result has the size of the guide.
        """
        scores = resize_maps(scores, guide.shape[2:])
        return random_walk(scores**self.power, guide, **self.arguments)


@MODELS.register_module()
class AffinityWalk(BaseRefiner):
    """Spreads class scores over like features:
    :func:`mmwsss.ops.affinity_walk`.

    The guide is a feature map. Background walks like a class, as in PSA.

    Args:
        radius (int): Pixels that a step reaches are closer than this. Defaults
            to 5.
        beta (float): The power of affinities. Defaults to 8.
        steps (int): Length of the walk, 64 in SEAM. Defaults to 256.
        border (bool): Whether pairs count that start near the border; see
            :func:`mmwsss.ops.feature_affinity`. Defaults to False.
        stride (int): Pixels of an image that one of the guide stands for.
            Defaults to 8.
    """

    has_background = True

    def __init__(self,
                 radius: int = 5,
                 beta: float = 8,
                 steps: int = 256,
                 border: bool = False,
                 stride: int = 8) -> None:
        super().__init__()
        self.arguments = dict(
            radius=radius, beta=beta, steps=steps, border=border)
        self.stride = stride

    def forward(self, scores: Tensor, guide: Tensor) -> Tensor:
        """Refine scores (N, K, H, W) with features (N, G, h, w).

        Scores at image size are padded with 0 at the bottom and the right, up to
        the size of the guide times its stride, and averaged over cells, as in
        PSA; the result has the size of the guide.

        Raises:
            ValueError: If the scores have neither the size of the guide nor that
                of its image.
        """
        if scores.shape[2:] != guide.shape[2:]:
            bottom, right = (
                length * self.stride - size
                for length, size in zip(guide.shape[2:], scores.shape[2:],
                                        strict=True))
            if not (0 <= bottom < self.stride and 0 <= right < self.stride):
                raise ValueError(
                    f'a guide of size {tuple(guide.shape[2:])} at stride '
                    f'{self.stride} does not fit scores of size '
                    f'{tuple(scores.shape[2:])}')
            scores = F.avg_pool2d(
                F.pad(scores, (0, right, 0, bottom)), self.stride)
        return affinity_walk(scores, guide, **self.arguments)

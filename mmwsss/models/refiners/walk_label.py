# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import torch
import torch.nn.functional as F
from mmseg.registry import MODELS
from torch import Tensor, nn

from mmwsss.structures import Seed, to_image_size
from mmwsss.structures.seed import STRIDE, strided_size
from mmwsss.utils.renamed import renamed_arguments

from .label_rules import LabelRule
from .walk_refiners import AffinityWalk, RandomWalk


@MODELS.register_module()
class WalkLabel(LabelRule):
    """From a seed and the guide of a walk to a pseudo label.

    Walks without background (IRN): the scores at stride 4 walk, are upsampled
    and divided by their maximum over all classes; a constant is background.
    Walks with background (PSA): the scores at image size walk together with a
    background made from them, or with one of their own (SIPE), and the strongest
    wins.

    Args:
        refiner (dict | nn.Module): A :class:`RandomWalk` or
            :class:`AffinityWalk`.
        bg_thr (float, optional): The constant background. Defaults to 0.25,
            IRN's, unless ``alpha`` is given.
        alpha (float, optional): Background is ``(1 - max) ** alpha``, 16 in
            PSA; only for walks with background.
        normalize (bool): Whether scores are divided by their maximum, in walks
            without background. Defaults to True.
        empty_label (int): What every pixel of an image without tags is, 0
            (background) or 255 (undecided). Defaults to 0.
        own_background (bool): Whether the seed's own background map walks; only
            for walks with background. Defaults to False.

    Raises:
        ValueError: If the rule contradicts itself.
    """

    refiner: RandomWalk | AffinityWalk

    @renamed_arguments(threshold='bg_thr')
    def __init__(self,
                 refiner: dict | nn.Module,
                 bg_thr: float | None = None,
                 alpha: float | None = None,
                 normalize: bool = True,
                 empty_label: int = 0,
                 own_background: bool = False) -> None:
        super().__init__(refiner, empty_label, bg_thr, alpha)
        for name, given in (('alpha', alpha is not None),
                            ('own_background', own_background)):
            if given and not self.refiner.has_background:
                raise ValueError(f'{type(self.refiner).__name__} walks without '
                                 f'background: {name} needs a walk with it')
        if own_background and (bg_thr is not None or alpha is not None):
            raise ValueError('own_background leaves no place for bg_thr or alpha')
        if bg_thr is None and alpha is None and not own_background:
            self.bg_thr = 0.25
        self.own_background = own_background
        self.normalize = normalize

    def forward(self, seed: Seed, guide: Tensor) -> Tensor:
        """Make a pseudo label.

        Args:
            seed (Seed): The seed of an image.
            guide (Tensor): The guide of its walk, of shape (1, G, h, w).

        Returns:
            Tensor: Class ids of shape (H, W), uint8.

        Raises:
            ValueError: If the guide is not of the image's size.
        """
        return self.decide(self.walk(seed, guide))

    def walk(self, seed: Seed, guide: Tensor) -> Seed:
        """Walk only.

        Args:
            seed (Seed): The seed of an image.
            guide (Tensor): The guide of its walk, of shape (1, G, h, w).

        Returns:
            Seed: At image size; with background, if that walked, too.
        """
        stride = self.refiner.stride
        expected = strided_size(seed.size, stride)
        if tuple(guide.shape[2:]) != expected:
            raise ValueError(
                f'an image of size {seed.size} needs a guide of size {expected}, '
                f'at stride {stride}, got {tuple(guide.shape[2:])}')
        seed = seed.to(guide.device)
        if not len(seed.labels):
            return seed
        if not self.refiner.has_background:
            scores = seed.scores
        elif (self.own_background and seed.background is not None
              and tuple(seed.scores.shape[1:]) == expected):
            scores = torch.cat([seed.background[None], seed.scores])
        else:
            scores = seed.with_background(self.bg_thr, self.alpha)
        walked = self.walk_maps(scores, guide, seed.size).clamp(0, 1)
        if self.refiner.has_background:
            return Seed(walked[1:], seed.labels, seed.size, walked[0])
        return Seed(walked, seed.labels, seed.size)

    def walk_maps(self, scores: Tensor, guide: Tensor,
                  size: tuple[int, int]) -> Tensor:
        """Walk, and bring the outcome to image size.

        Args:
            scores (Tensor): Scores of shape (K, h', w').
            guide (Tensor): The guide of the walk, of shape (1, G, h, w).
            size (tuple[int, int]): (H, W) of the image.

        Returns:
            Tensor: Scores of shape (K, H, W), divided by their maximum if so
            set; rounding may make them leave [0, 1].
        """
        walked = to_image_size(
            self.refiner(scores[None], guide)[0], size, self.refiner.stride)
        if self.normalize and not self.refiner.has_background:
            walked = walked / walked.amax().clamp(min=1e-5)
        return walked

    def decide(self, walked: Seed) -> Tensor:
        """The pseudo label of a seed that walked, uint8 of (H, W)."""
        if not len(walked.labels):
            return self.label_of_nothing(walked)
        if self.refiner.has_background:
            return walked.to_mask()
        return walked.to_mask(self.bg_thr)

    @staticmethod
    def reduce(walked: Seed) -> Seed:
        """A seed that walked, at stride 4, for its file."""
        if tuple(walked.scores.shape[1:]) != walked.size:
            return walked
        maps = walked.scores
        if walked.background is not None:
            maps = torch.cat([maps, walked.background[None]])
        # Cells of 4x4 pixels; at the borders those that the image has.
        maps = F.avg_pool2d(maps, STRIDE, ceil_mode=True).clamp(0, 1)
        background = None if walked.background is None else maps[-1]
        return Seed(maps[:len(walked.labels)], walked.labels, walked.size,
                    background)

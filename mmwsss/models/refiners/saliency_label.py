# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import torch
from mmseg.registry import MODELS
from torch import Tensor

from mmwsss.structures import Seed
from mmwsss.utils.renamed import renamed_arguments

from .label_rules import ThresholdLabel


@MODELS.register_module()
class SaliencyLabel(ThresholdLabel):
    """A thresholded seed that a saliency map may contradict.

    What neither a class nor saliency claims is background, what both claim is
    the class. Where they contradict each other, nobody knows: a class outside
    of what is salient, and something salient of no class, are left out. OAA,
    EPS and others combine seeds with saliency in this way; ESOL does not say how
    it does. Labels made so are of image labels and saliency (I+S).

    Args:
        refiner (dict | nn.Module, optional): As in :class:`ThresholdLabel`.
        bg_thr (float, optional): As in :class:`ThresholdLabel`.
        alpha (float, optional): As in :class:`ThresholdLabel`.
        empty_label (int): As in :class:`ThresholdLabel`.
        saliency_thr (float): A saliency above this is salient. Defaults to
            0.5.
        claimed (int | None): What a class outside of the salient becomes: 255
            (undecided), 0 (background), or None, to keep the class. Defaults
            to 255.
        unclaimed (int): What the salient of no class becomes: 255 or 0.
            Defaults to 255.

    Raises:
        ValueError: If an argument is not as above.
    """

    uses_saliency = True

    @renamed_arguments(threshold='bg_thr')
    def __init__(self,
                 refiner=None,
                 bg_thr: float | None = None,
                 alpha: float | None = None,
                 empty_label: int = 0,
                 saliency_thr: float = 0.5,
                 claimed: int | None = 255,
                 unclaimed: int = 255) -> None:
        super().__init__(refiner, bg_thr, alpha, empty_label)
        if claimed not in (0, 255, None) or unclaimed not in (0, 255):
            raise ValueError('claimed may be 0, 255 or None and unclaimed 0 or '
                             f'255, got {claimed} and {unclaimed}')
        self.saliency_thr = saliency_thr
        self.claimed = claimed
        self.unclaimed = unclaimed

    def forward(self,
                seed: Seed,
                image: Tensor,
                saliency: Tensor | None = None) -> Tensor:
        """Make a pseudo label.

        Args:
            seed (Seed): The seed of the image.
            image (Tensor): RGB in [0, 255] of shape (3, H, W).
            saliency (Tensor): Saliency in [0, 255] of shape (H, W);
                required.

        Returns:
            Tensor: Class ids of shape (H, W), uint8; 255 is undecided.

        Raises:
            ValueError: If saliency is missing, or image or saliency have
                another size than the seed's.
        """
        if saliency is None:
            raise ValueError('SaliencyLabel needs a saliency map of the image')
        if tuple(saliency.shape) != seed.size:
            raise ValueError(
                f'the seed is of an image of size {seed.size}, got a saliency '
                f'map of {tuple(saliency.shape)}')
        label = super().forward(seed, image)
        salient = saliency.to(label.device).float() / 255 > self.saliency_thr
        claimed = (label > 0) & (label < 255)
        if self.claimed is not None:
            label = torch.where(
                claimed & ~salient, torch.full_like(label, self.claimed), label)
        if len(seed.labels):
            label = torch.where(
                ~claimed & salient, torch.full_like(label, self.unclaimed),
                label)
        return label

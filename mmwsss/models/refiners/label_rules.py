# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""From a seed and its image to a pseudo label."""

from abc import ABCMeta, abstractmethod

import torch
from mmseg.registry import MODELS
from torch import Tensor, nn

from mmwsss.ops import affinity_label
from mmwsss.structures import Seed
from mmwsss.utils.renamed import renamed_arguments

PSA_CRF = dict(type='DenseCRF', preset='psa')
IRN_CRF = dict(type='DenseCRF', preset='irn_label')


class LabelRule(nn.Module):
    """What makes a pseudo label of a seed, perhaps by a refiner.

    Args:
        refiner (dict | nn.Module, optional): The refiner.
        empty_label (int): What every pixel of an image without tags is, 0
            (background) or 255 (undecided).
        bg_thr (float, optional): The constant background.
        alpha (float, optional): Background is ``(1 - max) ** alpha``.

    Raises:
        ValueError: If ``empty_label`` is another, or there are two backgrounds.
    """

    def __init__(self,
                 refiner: dict | nn.Module | None,
                 empty_label: int,
                 bg_thr: float | None = None,
                 alpha: float | None = None) -> None:
        super().__init__()
        self.refiner = (
            MODELS.build(refiner) if isinstance(refiner, dict) else refiner)
        if empty_label not in (0, 255):
            raise ValueError(
                f'empty_label must be 0 or 255, got {empty_label}')
        if bg_thr is not None and alpha is not None:
            raise ValueError('give bg_thr or alpha, not both')
        self.empty_label = empty_label
        self.bg_thr = bg_thr
        self.alpha = alpha

    def label_of_nothing(self, seed: Seed) -> Tensor:
        """The pseudo label (H, W) of an image without tags."""
        return torch.full(
            seed.size, self.empty_label, dtype=torch.uint8,
            device=seed.scores.device)


class _ImageRule(LabelRule, metaclass=ABCMeta):
    """A rule whose refiner is guided by the image."""

    def forward(self, seed: Seed, image: Tensor) -> Tensor:
        """Make a pseudo label.

        Args:
            seed (Seed): The seed of the image.
            image (Tensor): RGB in [0, 255] of shape (3, H, W).

        Returns:
            Tensor: Class ids of shape (H, W), uint8; 255 is undecided.

        Raises:
            ValueError: If the image has another size than the seed's.
        """
        if tuple(image.shape) != (3, *seed.size):
            raise ValueError(f'the seed is of an image of shape {(3, *seed.size)}'
                             f', got one of shape {tuple(image.shape)}')
        if not len(seed.labels):
            return self.label_of_nothing(seed)
        return self.label(seed, image.to(seed.scores.device))

    @abstractmethod
    def label(self, seed: Seed, image: Tensor) -> Tensor:
        """The pseudo label of a seed with at least one class."""

    def _arg_max(self, seed: Seed, image: Tensor, bg_thr: float | None,
                 alpha: float | None) -> Tensor:
        scores = seed.with_background(bg_thr, alpha)
        if self.refiner is not None and self.refiner.has_background:
            scores = self.refiner(scores[None], image[None])[0]
        elif self.refiner is not None:
            # Refined without background, which is then put against them.
            refined = Seed(
                self.refiner(scores[None, 1:], image[None])[0], seed.labels,
                seed.size, seed.background)
            scores = refined.with_background(bg_thr, alpha)
        # As argmax, but ten times faster on a CPU.
        best = scores.max(0).indices
        ids = torch.cat([seed.labels.new_zeros(1), seed.labels])
        return ids[best].to(torch.uint8)


@MODELS.register_module()
class ThresholdLabel(_ImageRule):
    """The strongest class of refined scores, background included.

    Background is a constant (with IRN's label CRF this is the CRF column of
    seed tables), the power ``(1 - max) ** alpha`` of PSA, or the seed's own
    map. Without refiner it is the plain thresholded seed.

    Args:
        refiner (dict | nn.Module, optional): The refiner.
        bg_thr (float, optional): The constant background.
        alpha (float, optional): The power.
        empty_label (int): What every pixel of an image without tags is, 0
            (background) or 255 (undecided). Defaults to 0.
    """

    @renamed_arguments(threshold='bg_thr')
    def __init__(self,
                 refiner: dict | nn.Module | None = None,
                 bg_thr: float | None = None,
                 alpha: float | None = None,
                 empty_label: int = 0) -> None:
        super().__init__(refiner, empty_label, bg_thr, alpha)

    def label(self, seed: Seed, image: Tensor) -> Tensor:
        """The pseudo label of a seed with at least one class."""
        return self._arg_max(seed, image, self.bg_thr, self.alpha)


@MODELS.register_module()
class IRNLabel(_ImageRule):
    r"""IRN's label: confident foreground, confident background, undecided.

    Two thresholded and refined label maps are joined by
    :func:`mmwsss.ops.affinity_label`. AdvCAM uses 0.35 and 0.15; wider seeds
    need their own values. SANCE, Eq. 1, thresholds first:

    .. math::
        Y_i^{init} = \begin{cases} \arg\max_c S_{c,i} &
        \text{if } \max_c S_{c,i} > 0.3 \\
        0 & \text{if } \max_c S_{c,i} < 0.05 \\
        255 & \text{otherwise} \end{cases}

    and refines the result; a dense CRF cannot, as it knows no undecided pixel.

    SIPE's seeds have a background map of their own, which takes the place of both
    thresholds: as it is of the high one, times a factor of the low one.

    Args:
        conf_fg (float): The high threshold. Defaults to 0.30.
        conf_bg (float): The low threshold. Defaults to 0.05.
        refiner (dict | nn.Module, optional): Defaults to IRN's label CRF,
            ``DenseCRF(preset='irn_label')``; None refines nothing.
        empty_label (int): What every pixel of an image without tags is.
            Defaults to 255, undecided: IRN skips such images.
        background_factor (float, optional): The factor of the seed's own
            background, which then replaces both thresholds; SIPE takes 0.5.
    """

    def __init__(self,
                 conf_fg: float = 0.30,
                 conf_bg: float = 0.05,
                 refiner: dict | nn.Module | None = IRN_CRF,
                 empty_label: int = 255,
                 background_factor: float | None = None) -> None:
        super().__init__(refiner, empty_label)
        if conf_bg > conf_fg:
            raise ValueError('conf_bg must not exceed conf_fg, got '
                             f'{conf_bg} > {conf_fg}')
        if background_factor is not None and not 0 <= background_factor <= 1:
            raise ValueError('background_factor must lie in [0, 1], got '
                             f'{background_factor}')
        self.conf_fg = conf_fg
        self.conf_bg = conf_bg
        self.background_factor = background_factor

    def label(self, seed: Seed, image: Tensor) -> Tensor:
        """The pseudo label of a seed with at least one class.

        Raises:
            ValueError: If there is a ``background_factor`` and the seed has no
                background of its own.
        """
        if self.background_factor is not None:
            foreground = self._arg_max(seed, image, None, None)
            background = seed.background
            if background is not None:
                background = background * self.background_factor
            weaker = Seed(seed.scores, seed.labels, seed.size, background)
            return affinity_label(
                foreground, self._arg_max(weaker, image, None, None))
        return affinity_label(
            self._arg_max(seed, image, self.conf_fg, None),
            self._arg_max(seed, image, self.conf_bg, None))


@MODELS.register_module()
class PSALabel(_ImageRule):
    r"""PSA's label: what two powers of the background score agree on.

    Background is ``(1 - max) ** alpha``. A low power makes a strong background:
    the foreground that survives it is trusted. A high power makes a weak one,
    and the background that survives that is trusted. The rest is undecided.
    (PSA averages the refined scores of both over 8x8 pixels of a training crop
    before it decides; ``AffinityHead`` lets the decided pixels vote.)

    With the seed's classes :math:`M_c`, the background :math:`M_{bg}` and the refined
    scores :math:`R^\alpha` of both together:

    .. math::
        Y_i = \begin{cases} 0 & \text{if } \arg\max R_i^{high} = 0 \\
        \arg\max R_i^{low} & \text{else, if } \arg\max R_i^{low} > 0 \\
        255 & \text{otherwise} \end{cases}, \quad
        M_{bg} = (1 - \max_c M_c)^\alpha

    PSA takes 4 and 24 in its paper, 4 and 32 in its README; SEAM 4 and 24,
    MCTformer 1 and 12.

    Args:
        low_alpha (float): The low power. Defaults to 4.
        high_alpha (float): The high power. Defaults to 32.
        refiner (dict | nn.Module, optional): Defaults to PSA's CRF,
            ``DenseCRF(preset='psa')``; None refines nothing.
        empty_label (int): What every pixel of an image without tags is.
            Defaults to 255, undecided.

    Raises:
        ValueError: If ``low_alpha`` exceeds ``high_alpha``.
    """

    def __init__(self,
                 low_alpha: float = 4,
                 high_alpha: float = 32,
                 refiner: dict | nn.Module | None = PSA_CRF,
                 empty_label: int = 255) -> None:
        super().__init__(refiner, empty_label)
        if low_alpha > high_alpha:
            raise ValueError('low_alpha must not exceed high_alpha, got '
                             f'{low_alpha} > {high_alpha}')
        self.low_alpha = low_alpha
        self.high_alpha = high_alpha

    def label(self, seed: Seed, image: Tensor) -> Tensor:
        """The pseudo label of a seed with at least one class."""
        low = self._arg_max(seed, image, None, self.low_alpha)
        high = self._arg_max(seed, image, None, self.high_alpha)
        label = torch.where(low == 0, torch.full_like(low, 255), low)
        label[high == 0] = 0
        return label

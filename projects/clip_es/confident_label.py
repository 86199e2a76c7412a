# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import torch
from mmseg.registry import MODELS
from torch import Tensor

from mmwsss.models.refiners.label_rules import ThresholdLabel
from mmwsss.structures import Seed


@MODELS.register_module()
class ConfidentLabel(ThresholdLabel):
    r"""The strongest class where a refiner is sure of it; elsewhere undecided.

    The confidence-guided loss of CLIP-ES leaves out the pixels whose best probability
    after its dense CRF is below 0.95; here their label says so. With the refined
    probabilities :math:`p_c` and the least confidence :math:`\mu`:

    .. math::
        Y_i = \begin{cases} \arg\max_c p_{c,i} &
        \text{if } \max_c p_{c,i} \ge \mu \\ 255 & \text{otherwise} \end{cases}

    Args:
        min_confidence (float): :math:`\mu`, the least probability of a label. Defaults
            to 0.95.
        **kwargs: Arguments of :class:`ThresholdLabel`, with a refiner that takes a
            background.

    Raises:
        ValueError: If there is no such refiner, or the probability is none.
    """

    def __init__(self, min_confidence: float = 0.95, **kwargs) -> None:
        super().__init__(**kwargs)
        if self.refiner is None or not self.refiner.has_background:
            raise ValueError('ConfidentLabel needs a refiner that takes a background, '
                             'such as DenseCRF')
        if not 0 <= min_confidence <= 1:
            raise ValueError(
                f'min_confidence must lie in [0, 1], got {min_confidence}')
        self.min_confidence = min_confidence

    def label(self, seed: Seed, image: Tensor) -> Tensor:
        """The pseudo label of a seed with at least one class."""
        scores = seed.with_background(self.bg_thr, self.alpha)
        confidence, best = self.refiner(scores[None], image[None])[0].max(dim=0)
        ids = torch.cat([seed.labels.new_zeros(1), seed.labels])
        label = ids[best].to(torch.uint8)
        return label.masked_fill(confidence < self.min_confidence, 255)

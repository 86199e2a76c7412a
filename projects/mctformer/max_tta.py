# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from mmseg.registry import MODELS
from torch import Tensor

from mmwsss.models.tta import LogitTTAModel


@MODELS.register_module()
class MaxTTAModel(LogitTTAModel):
    r"""Test-time augmentation that takes each class's largest probability.

    As MCTformer tests its segmentation at several scales; with the probabilities
    :math:`p^v` of view v:

    .. math::
        s_c = \max_v p_c^v

    ``seg_logits`` are the
    logarithms of these, so that a softmax makes probabilities of them again, for a
    metric that refines.
    """

    def merge_logits(self, logits: Tensor) -> Tensor:
        """The logarithm of each class's largest probability over the views."""
        return logits.log_softmax(dim=1).amax(dim=0)

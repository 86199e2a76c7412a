# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from mmseg.registry import MODELS
from torch import Tensor, nn

from mmwsss.ops import path_affinity

from .pair_means import affinity_loss


@MODELS.register_module()
class PathAffinityLoss(nn.Module):
    r"""Boundaries from pairs of pixels of the same and of different labels.

    The affinity ``a`` of a pair is 1 less the strongest boundary between them
    (:func:`mmwsss.ops.path_affinity`). With 1e-5 inside the logarithms, the loss
    is ``1/4 mean_bg -log(a) + 1/4 mean_fg -log(a) + 1/2 mean_neg -log(1 - a)``:
    pairs of background, pairs of one foreground class and pairs of different
    classes count the same, however many there are. The means run over the
    whole batch, that of all processes. `IRN
    <https://arxiv.org/abs/1904.05044>`_; the factor 1/2 is of its code.

    SANCE, Eqs. 3 and 4: what labels say of a pair nearer than
    :math:`\hat\delta`, the radius, and the loss, of which this one, as IRN's code, is
    half:

    .. math::
        \hat a_{ij} = \begin{cases}
        0 & \text{if } Y_i \neq Y_j;\ Y_i, Y_j \neq 255;\ d(i, j) < \hat\delta \\
        1 & \text{if } Y_i = Y_j;\ Y_i, Y_j \neq 255;\ d(i, j) < \hat\delta \\
        255 & \text{otherwise} \end{cases}

        \mathcal L_C(B, Y) =
        - \sum_{\hat a_{ij} = 1, Y_i = 0} \frac {\log a_{ij}} {2 N_{bg}^+}
        - \sum_{\hat a_{ij} = 1, Y_i > 0} \frac {\log a_{ij}} {2 N_{fg}^+}
        - \sum_{\hat a_{ij} = 0} \frac {\log (1 - a_{ij})} {N^-}

    Args:
        radius (int): Pairs are closer than this, in pixels of the map. Defaults
            to 10.
        loss_weight (float): Factor of the loss. Defaults to 1.
        loss_name (str): Name in the log. Defaults to 'loss_affinity'.
    """

    def __init__(self,
                 radius: int = 10,
                 loss_weight: float = 1.,
                 loss_name: str = 'loss_affinity') -> None:
        super().__init__()
        self.radius = radius
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    def forward(self, logits: Tensor, label: Tensor) -> Tensor:
        """Compute the loss.

        Args:
            logits (Tensor): Boundary logits of shape (N, 1, h, w).
            label (Tensor): Class ids of shape (N, h, w), 0 is background, 255
                is undecided.

        Returns:
            Tensor: The weighted loss, a scalar; 0 with zero gradients if there
            is no pair.

        Raises:
            ValueError: If the shapes do not fit or the map is too small for a
                pair.
        """
        if label.shape != logits[:, 0].shape:
            raise ValueError('label must have the shape '
                             f'{tuple(logits[:, 0].shape)}, got '
                             f'{tuple(label.shape)}')
        affinity, _ = path_affinity(logits.float().sigmoid(), self.radius)
        return self.loss_weight * affinity_loss(affinity, label, self.radius)

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from mmseg.registry import MODELS
from torch import Tensor, nn

from mmwsss.ops import feature_affinity

from .pair_means import affinity_loss


@MODELS.register_module()
class FeatureAffinityLoss(nn.Module):
    r"""The loss of PSA's affinities between neighbouring pixels.

    The affinity of two pixels is ``exp(-mean |f_i - f_j|)``. Pairs of background
    and pairs of one foreground class should have a high one, pairs of different
    labels a low one:
    ``1/4 mean_bg -log(a) + 1/4 mean_fg -log(a) + 1/2 mean_neg -log(1 - a)``,
    with 1e-5 within the logarithms. The means run over the pairs of their own
    kind in the whole batch, that of all processes. `PSA
    <https://arxiv.org/abs/1803.10464>`_ (Ahn and Kwak, CVPR 2018).

    Sources of pairs are the pixels all of whose partners lie in the map: not the
    last ``radius - 1`` rows nor as many columns at either side.

    PSA's loss, with the affinities :math:`W_{ij}` of
    :func:`mmwsss.ops.feature_affinity`:

    .. math::
        \mathcal L = \mathcal L_{fg}^+ + \mathcal L_{bg}^+ + 2 \mathcal L^-,
        \quad \mathcal L^+ = -\frac 1 {|\mathcal P^+|} \sum_{\mathcal P^+}
        \log W_{ij}, \quad \mathcal L^- = -\frac 1 {|\mathcal P^-|}
        \sum_{\mathcal P^-} \log (1 - W_{ij})

    The loss here is a quarter of it, as in the code.

    Args:
        radius (int): Pairs are nearer than this many pixels. Defaults to 5.
        loss_weight (float): Factor of the loss. Defaults to 1.
        loss_name (str): Name in the log. Defaults to 'loss_aff'.

    Raises:
        ValueError: If ``radius`` is below 2: there are no pairs.
    """

    def __init__(self,
                 radius: int = 5,
                 loss_weight: float = 1.,
                 loss_name: str = 'loss_aff') -> None:
        super().__init__()
        if radius < 2:
            raise ValueError(f'radius must be at least 2, got {radius}')
        self.radius = radius
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    def forward(self, features: Tensor, label: Tensor) -> Tensor:
        """Compute the loss.

        Args:
            features (Tensor): Of shape (N, G, h, w).
            label (Tensor): Class ids of shape (N, h, w), 0 is background, 255
                is undecided.

        Returns:
            Tensor: The weighted loss, a scalar; 0 with zero gradients if there
            is no pair.

        Raises:
            ValueError: If the map is too small for a pair, or the shapes differ.
        """
        if label.shape != features[:, 0].shape:
            raise ValueError(f'label must have the shape '
                             f'{tuple(features[:, 0].shape)}, got '
                             f'{tuple(label.shape)}')
        affinity, _ = feature_affinity(features.float(), self.radius)
        return self.loss_weight * affinity_loss(affinity, label, self.radius)

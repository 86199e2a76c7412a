# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import torch
from mmengine.dist import all_reduce, get_world_size
from mmseg.registry import MODELS
from torch import Tensor, nn

from mmwsss.ops import feature_affinity

EPS = 1e-5


@MODELS.register_module()
class FeatureAffinityLoss(nn.Module):
    r"""The loss of PSA's affinities between neighbouring pixels.

    The affinity of two pixels is ``exp(-mean |f_i - f_j|)``. Pairs of background
    and pairs of one foreground class should have a high one, pairs of different
    labels a low one:
    ``1/4 mean_bg -log(a) + 1/4 mean_fg -log(a) + 1/2 mean_neg -log(1 - a)``,
    with 1e-5 within the logarithms. The means run over the pairs of their own
    kind in the whole batch, that of all processes. PSA (CVPR 2018),
    Sec. 4.

    Sources of pairs are the pixels all of whose partners lie in the map: not the
    last ``radius - 1`` rows nor as many columns at either side.

    With the affinities :math:`W_{ij}` of Eq. 2:

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
        margin = self.radius - 1
        height, width = features.shape[2:]
        if label.shape != features[:, 0].shape:
            raise ValueError(f'label must have the shape '
                             f'{tuple(features[:, 0].shape)}, got '
                             f'{tuple(label.shape)}')
        if height <= margin or width <= 2 * margin:
            raise ValueError(
                f'a map of {height}x{width} has no pairs of radius {self.radius},'
                f' it must be larger than {margin}x{2 * margin}')
        affinity, offsets = feature_affinity(features.float(), self.radius)

        def partners(x, dy, dx):
            return x[..., dy:height - margin + dy, margin + dx:width - margin + dx]

        # Pixel pairs of shape (N, P, h', w').
        affinity = partners(affinity, 0, 0)
        first = partners(label, 0, 0)[:, None]
        second = torch.stack(
            [partners(label, dy, dx) for dy, dx in offsets.tolist()], dim=1)
        equal = first == second
        valid = (first != 255) & (second != 255)
        kinds = torch.stack([
            equal & (first == 0),
            equal & (first != 0) & valid,
            ~equal & valid,
        ])
        attract = -torch.log(affinity + EPS)
        repel = -torch.log(1 + EPS - affinity)
        terms = torch.stack([attract, attract, repel])
        sums = torch.where(kinds, terms, 0.).flatten(1).sum(dim=1)
        counts = kinds.flatten(1).sum(dim=1).to(sums)
        all_reduce(counts)
        # DistributedDataParallel divides gradients by the number of processes.
        means = sums * get_world_size() / (counts + EPS)
        weights = means.new_tensor([0.25, 0.25, 0.5])
        return self.loss_weight * (weights * means).sum()

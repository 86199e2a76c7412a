# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import torch
from mmengine.dist import all_reduce, get_world_size
from mmseg.registry import MODELS
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

EPS = 1e-5


class _MeanDistance(torch.autograd.Function):
    """The mean absolute difference over channels.

    PyTorch would keep the difference for the gradient, a feature map for each
    of 34 directions; here the gradient forms it again from views of one map.
    """

    @staticmethod
    def forward(ctx, first: Tensor, second: Tensor) -> Tensor:
        ctx.save_for_backward(first, second)
        return (first - second).abs().mean(dim=1)

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, Tensor]:
        first, second = ctx.saved_tensors
        sign = (first - second).sign_()
        sign *= gradient[:, None] / first.shape[1]
        return sign, -sign


def pair_offsets(radius: int) -> list[tuple[int, int]]:
    """Where the partners of a pixel lie: half a disc without the pixel.

    Args:
        radius (int): Pairs are nearer than this many pixels.

    Returns:
        list[tuple[int]]: Offsets (dy, dx), dy >= 0; 34 for radius 5.
    """
    return [(dy, dx) for dy in range(radius) for dx in range(1 - radius, radius)
            if dy * dy + dx * dx < radius * radius and (dy, dx) > (0, 0)]


@MODELS.register_module()
class FeatureAffinityLoss(nn.Module):
    """The loss of PSA's affinities between neighbouring pixels.

    The affinity of two pixels is ``exp(-mean |f_i - f_j|)``. Pairs of background
    and pairs of one foreground class should have a high one, pairs of different
    labels a low one:
    ``1/4 mean_bg -log(a) + 1/4 mean_fg -log(a) + 1/2 mean_neg -log(1 - a)``,
    with 1e-5 within the logarithms. The means run over the pairs of their own
    kind in the whole batch, that of all processes. PSA (CVPR 2018),
    Sec. 4.

    Sources of pairs are the pixels all of whose partners lie in the map: not the
    last ``radius - 1`` rows nor as many columns at either side.

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
        features = features.float()

        def partners(x, dy, dx):
            return x[..., dy:height - margin + dy, margin + dx:width - margin + dx]

        sources, source_label = partners(features, 0, 0), partners(label, 0, 0)
        sums, counts = [], []
        for dy, dx in pair_offsets(self.radius):
            distance = _MeanDistance.apply(sources, partners(features, dy, dx))
            partner_label = partners(label, dy, dx)
            equal = source_label == partner_label
            valid = (source_label != 255) & (partner_label != 255)
            kinds = torch.stack([
                equal & (source_label == 0),
                equal & (source_label != 0) & valid,
                ~equal & valid,
            ])
            affinity = torch.exp(-distance)
            attract = -torch.log(affinity + EPS)
            repel = -torch.log(1 + EPS - affinity)
            terms = torch.stack([attract, attract, repel])
            sums.append(torch.where(kinds, terms, 0.).sum(dim=(1, 2, 3)))
            counts.append(kinds.sum(dim=(1, 2, 3)))
        counts = torch.stack(counts).sum(dim=0).to(features)
        all_reduce(counts)
        # DistributedDataParallel divides gradients by the number of processes.
        means = torch.stack(sums).sum(dim=0) * get_world_size() / (counts + EPS)
        weights = means.new_tensor([0.25, 0.25, 0.5])
        return self.loss_weight * (weights * means).sum()

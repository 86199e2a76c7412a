# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import torch
import torch.nn.functional as F
from mmengine.dist import all_reduce, get_world_size
from mmseg.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class PairAffinityLoss(nn.Module):
    r"""Pairs of near patches of one label should be alike, others not.

    With the affinities :math:`S_{ij} \in [0, 1]` and the pairs within ``radius`` rows
    and columns of equal (+) and different (-) labels:

    .. math::
        \ell = \frac 1 {2 (N^+ + 1)} \sum_{+} (1 - S_{ij}) +
        \frac 1 {2 (N^- + 1)} \sum_{-} S_{ij}

    As in the code of AFA and of WeCLIP. Sums and counts are those of the whole batch,
    that of all processes.

    Args:
        radius (int): The farthest row and column of a pair. Defaults to 8.
        loss_weight (float): Factor of the loss. Defaults to 0.1.
        loss_name (str): Name in the log. Defaults to 'loss_aff'.

    Raises:
        ValueError: If ``radius`` is negative.
    """

    def __init__(self,
                 radius: int = 8,
                 loss_weight: float = 0.1,
                 loss_name: str = 'loss_aff') -> None:
        super().__init__()
        if radius < 0:
            raise ValueError(f'radius must not be negative, got {radius}')
        self.radius = radius
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    def forward(self, affinity: Tensor, labels: Tensor,
                grid: tuple[int, int]) -> Tensor:
        """Compute the loss.

        Args:
            affinity (Tensor): Of each patch to each, of shape (N, h * w, h * w).
            labels (Tensor): Class ids of shape (N, H, W), whose nearest pixel is a
                patch's label; 255 is in no pair.
            grid (tuple[int, int]): (h, w).

        Returns:
            Tensor: The weighted loss, a scalar; 0 with zero gradients without a pair.

        Raises:
            ValueError: If the shapes do not fit.
        """
        height, width = grid
        expected = (len(labels), height * width, height * width)
        if tuple(affinity.shape) != expected:
            raise ValueError(f'affinity of {height} x {width} patches must be of shape '
                             f'{expected}, got {tuple(affinity.shape)}')
        cells = F.interpolate(labels[:, None].float(), size=grid, mode='nearest')
        cells = cells.flatten(1)
        near = self._near(height, width, affinity.device)
        valid = near & (cells != 255)[:, :, None] & (cells != 255)[:, None]
        equal = cells[:, :, None] == cells[:, None]
        affinity = affinity.float()
        sums = torch.stack([
            torch.where(valid & equal, 1 - affinity, 0.).sum(),
            torch.where(valid & ~equal, affinity, 0.).sum()
        ])
        counts = torch.stack([(valid & equal).sum(), (valid & ~equal).sum()]).to(sums)
        all_reduce(counts)
        # DistributedDataParallel divides gradients by the number of processes.
        means = sums * get_world_size() / (counts + 1)
        return self.loss_weight * means.mean()

    def _near(self, height: int, width: int, device: torch.device) -> Tensor:
        """Which pairs of patches count, bool of shape (h * w, h * w)."""
        rows = torch.arange(height, device=device).repeat_interleave(width)
        columns = torch.arange(width, device=device).repeat(height)
        return ((rows[:, None] - rows).abs() <= self.radius) & (
            (columns[:, None] - columns).abs() <= self.radius)

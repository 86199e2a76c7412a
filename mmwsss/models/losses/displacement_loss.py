# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import torch
from mmseg.registry import MODELS
from torch import Tensor, nn

from mmwsss.ops.pixel_pairs import pair_offsets

from .pair_means import kind_means, pair_area, pair_kinds


@MODELS.register_module()
class DisplacementLoss(nn.Module):
    r"""Near pixels of one class point at the same place.

    For a pair of one foreground class the difference of the displacements
    should be the pair's offset; for a pair of background it should be 0, a
    trivial field without centroids. Both are means of absolute differences over
    the pairs of the whole batch, that of all processes. `IRN
    <https://arxiv.org/abs/1904.05044>`_ (Ahn et al., CVPR 2019).

    IRN's losses, with :math:`\delta(i, j)` the difference of displacements and
    :math:`\hat\delta(i, j)` the offset of the pair:

    .. math::
        \mathcal L_{fg} = \frac 1 {|\mathcal P_{fg}^+|} \sum_{(i, j) \in
        \mathcal P_{fg}^+} |\delta(i, j) - \hat\delta(i, j)|, \quad
        \mathcal L_{bg} = \frac 1 {|\mathcal P_{bg}^+|} \sum_{(i, j) \in
        \mathcal P_{bg}^+} |\delta(i, j)|

    Args:
        radius (int): Pairs are closer than this, in pixels of the field.
            Defaults to 10.
        loss_weight (float): Factor of both terms. Defaults to 0.5.
        loss_name (str): Name in the log; ``_fg`` and ``_bg`` follow. Defaults
            to 'loss_displacement'.
    """

    def __init__(self,
                 radius: int = 10,
                 loss_weight: float = 0.5,
                 loss_name: str = 'loss_displacement') -> None:
        super().__init__()
        self.radius = radius
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    def forward(self, field: Tensor, label: Tensor) -> dict[str, Tensor]:
        """Compute the losses.

        Args:
            field (Tensor): Displacements (dy, dx) of shape (N, 2, h, w).
            label (Tensor): Class ids of shape (N, h, w), 0 is background, 255
                is undecided.

        Returns:
            dict[str, Tensor]: The weighted losses of foreground and background,
            scalars.

        Raises:
            ValueError: If the shapes do not fit or the map is too small for a
                pair.
        """
        if field.shape[1] != 2 or label.shape != field[:, 0].shape:
            raise ValueError('expected displacements (N, 2, h, w) and labels '
                             f'(N, h, w), got {tuple(field.shape)} and '
                             f'{tuple(label.shape)}')
        field = field.float()
        background, foreground, _ = pair_kinds(label, self.radius)
        start = pair_area(field, self.radius)
        sums = []
        for i, offset in enumerate(pair_offsets(self.radius)):
            difference = start - pair_area(field, self.radius, offset)
            target = field.new_tensor(offset)[:, None, None]
            sums.append(
                torch.stack([
                    torch.where(kind[:, i, None], error, 0.).sum()
                    for kind, error in ((foreground, (difference - target).abs()),
                                        (background, difference.abs()))
                ]))
        # Two numbers a pair.
        counts = 2 * torch.stack([foreground.sum(), background.sum()])
        means = self.loss_weight * kind_means(torch.stack(sums).sum(0), counts)
        return {
            f'{self.loss_name}_fg': means[0],
            f'{self.loss_name}_bg': means[1]
        }

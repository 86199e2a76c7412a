# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import torch
from mmseg.registry import MODELS
from torch import Tensor, nn

from .prototypes import PrototypeView


@MODELS.register_module()
class IntraViewLoss(nn.Module):
    r"""Pixels are near the prototype of their class within one view.

    PPC's intra-view contrast. Two choices keep it at work on what is doubtful:

    - semi-hard prototypes: a pixel's own stands against those whose cosines
      rank 4 to 13 of the 21 (its own counts again where it is among them), or
      as large a share of other numbers of classes;
    - hard pixels: of each of the :math:`K` classes that a view's pseudo labels
      hold, a random half of the :math:`n` pixels and the half between its
      hardest 10 and 60 percent; who is in both counts twice. A class of one
      pixel adds 0.

    .. math::
        \ell_i = - \log \frac {e^{q_i \cdot P_{y_i} / t}} {e^{q_i \cdot P_{y_i} / t}
        + \sum_{k \in \mathrm{semihard}(i)} e^{q_i \cdot P_k / t}}, \quad
        \mathcal L = \frac \gamma 2 \sum_{views} \frac 1 K \sum_{k = 1}^K
        \frac 1 {|\mathcal S_k|} \sum_{i \in \mathcal S_k} \ell_i

    Args:
        semi_hard (tuple[float]): What share of the prototypes, by falling
            cosine, comes before the semi-hard ones, and what share with them.
            Defaults to (3 / 21, 13 / 21).
        sampled (float): Share of random pixels, and of hard ones. Defaults to
            0.5.
        lowest (float): Where the hard pixels end. Defaults to 0.6.
        temperature (float): :math:`t`. Defaults to 0.1.
        loss_weight (float): :math:`\gamma`. Defaults to 0.1.

    Raises:
        ValueError: If ``semi_hard`` does not ascend within 0 and 1.
    """

    def __init__(self,
                 semi_hard: tuple[float, float] = (3 / 21, 13 / 21),
                 sampled: float = 0.5,
                 lowest: float = 0.6,
                 temperature: float = 0.1,
                 loss_weight: float = 0.1) -> None:
        super().__init__()
        if not 0 <= semi_hard[0] < semi_hard[1] <= 1:
            raise ValueError('semi_hard must be two ascending shares from 0 to 1, '
                             f'got {semi_hard}')
        self.semi_hard = tuple(semi_hard)
        self.sampled = sampled
        self.lowest = lowest
        self.temperature = temperature
        self.loss_weight = loss_weight

    def forward(self,
                first: PrototypeView,
                second: PrototypeView,
                lots: tuple[Tensor, Tensor] | None = None) -> Tensor:
        """Compute the loss of two views.

        Args:
            first (PrototypeView): One view.
            second (PrototypeView): The other.
            lots (tuple[Tensor], optional): Of each view, one number a pixel: the
                least ones of a class are its random half. Defaults to None:
                drawn here.

        Returns:
            Tensor: The weighted loss, a scalar.
        """
        if lots is None:
            lots = [torch.rand_like(view.pixels[:, 0]) for view in (first, second)]
        losses = [
            self.one_view(view, lot)
            for view, lot in zip((first, second), lots, strict=True)
        ]
        return self.loss_weight * sum(losses) / 2

    def one_view(self, view: PrototypeView, lot: Tensor) -> Tensor:
        """The mean over classes of one view, without weight."""
        cosines = view.pixels @ view.prototypes.T
        num_classes = cosines.shape[1]
        own = cosines.gather(1, view.labels[:, None])
        first, end = (round(share * num_classes) for share in self.semi_hard)
        others = cosines.sort(dim=1, descending=True)[0][:, first:end]
        logits = torch.cat([own, others], dim=1) / self.temperature
        losses = logits.logsumexp(dim=1) - logits[:, 0]
        weights, present = self._pixel_weights(
            view.labels, num_classes, own.detach()[:, 0], lot)
        return (weights.to(losses) * losses).sum() / present

    def _pixel_weights(self, labels: Tensor, num_classes: int, cosines: Tensor,
                       lot: Tensor) -> tuple[Tensor, Tensor]:
        """Each pixel's share of the mean of its class; the number of classes."""
        classes = torch.arange(num_classes, device=labels.device)
        counts = (labels[:, None] == classes).sum(dim=0)
        sizes = counts[labels].double()
        half = (sizes * self.sampled).long()
        end = (sizes * self.lowest).long()
        drawn = _rank_within_class(labels, counts, lot) < half
        rank = _rank_within_class(labels, counts, cosines)
        hard = (rank >= end - half) & (rank < end)
        weights = (drawn.float() + hard.float()).double() / (2 * half).clamp(min=1)
        return weights, (counts > 0).sum()


def _rank_within_class(labels: Tensor, counts: Tensor, values: Tensor) -> Tensor:
    """How many pixels of its class have a lower value, of shape (P, )."""
    order = values.argsort(stable=True)
    order = order[labels[order].argsort(stable=True)]
    starts = counts.cumsum(0) - counts
    ranks = torch.empty_like(order)
    ranks[order] = torch.arange(
        len(order), device=order.device) - starts[labels[order]]
    return ranks

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import torch
import torch.nn.functional as F
from mmengine.dist import all_reduce
from mmseg.registry import MODELS
from torch import Tensor, nn

from mmwsss.ops import confidence_mask, expansion_ring, max_norm

REDUCTIONS = ('mean_all', 'mean_valid', 'sum')
BACKGROUNDS = ('constant', 'one_minus_max')
FILTERS = ('both', 'pseudo_label', 'none')


@MODELS.register_module()
class FSAELoss(nn.Module):
    r"""Feature-level and spatial-level activation expansion.

    What a pixel of the weakly augmented view surely is, the same pixel of the
    strongly augmented view is to become. Sure are the pixels whose best class
    has a high probability (feature level), and those right beside them whose
    best class has a fairly high one (spatial level). FSAE (WACV 2025). It goes in
    two steps: :meth:`pseudo_labels` of the weak view, then the loss of the strong
    one.

    Scores are raw class logits before pooling. The paper does not say which
    classes its softmax sees, nor how the sum over pixels is scaled; both are
    arguments here, and ``configs/fsae/README.md`` discusses them.

    FSAE, Eqs. 8 and 9 (5 to 7 are :func:`mmwsss.ops.confidence_mask` and
    :func:`mmwsss.ops.expansion_ring`):

    .. math::
        \hat M = M \cup M_{bdry}, \quad \mathcal L_{FSAE} = \lambda \cdot
        \frac 1 N \sum_{n=1}^N \sum_{i \in \mathbb I} \hat M_i
        \mathcal L_{CE}(S_t, P_s)

    Args:
        threshold (float): ``tau_FAE``; above 1 the loss is switched off.
            Defaults to 0.95.
        ring_threshold (float): ``tau_SAE``. Defaults to 0.8.
        kernel_size (int): ``k``, the side of the dilation in pixels of the
            score map, odd; 1 leaves the ring away. Defaults to 3.
        reduction (str): ``'mean_all'`` divides the sum over sure pixels by the
            number of all pixels of the images, as FixMatch does, and
            ``'mean_valid'`` by that of sure ones, both of all processes; ``'sum'``
            by the number of images, which is Eq. 9 to the letter. Defaults to
            'mean_all'.
        background (str): What a head without background channel gets as one:
            ``'constant'``, the logit ``background_logit``; or
            ``'one_minus_max'``: the maps are divided by their maxima and the
            background is one minus the largest of them (SIPE), which needs a
            ``temperature`` below 1 to reach any threshold. Defaults to
            'constant'.
        background_logit (float): Defaults to 0.
        temperature (float): Divides all logits. Defaults to 1.
        label_filter (str): Where classes that the image does not have are
            ruled out: in ``'both'`` views, only in the ``'pseudo_label'``, or
            nowhere (``'none'``, the paper to the letter). Defaults to 'both'.
        loss_weight (float): The factor ``lambda``. Defaults to 1.
        loss_name (str): Name in the log. Defaults to 'loss_fsae'.

    Raises:
        ValueError: If an argument is unknown or out of range.
    """

    def __init__(self,
                 threshold: float = 0.95,
                 ring_threshold: float = 0.8,
                 kernel_size: int = 3,
                 reduction: str = 'mean_all',
                 background: str = 'constant',
                 background_logit: float = 0.,
                 temperature: float = 1.,
                 label_filter: str = 'both',
                 loss_weight: float = 1.,
                 loss_name: str = 'loss_fsae') -> None:
        super().__init__()
        for name, value, known in (('reduction', reduction, REDUCTIONS),
                                   ('background', background, BACKGROUNDS),
                                   ('label_filter', label_filter, FILTERS)):
            if value not in known:
                raise ValueError(f'{name} must be one of {known}, got {value!r}')
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise ValueError(
                f'kernel_size must be odd and positive, got {kernel_size}')
        if not temperature > 0:
            raise ValueError(f'temperature must be positive, got {temperature}')
        if background == 'one_minus_max' and temperature >= 1:
            raise ValueError(
                "background='one_minus_max' has scores in [0, 1], whose softmax "
                f'is never sure; expected a temperature below 1 (such as 0.1), '
                f'got {temperature}')
        self.threshold = threshold
        self.ring_threshold = ring_threshold
        self.kernel_size = kernel_size
        self.reduction = reduction
        self.background = background
        self.background_logit = background_logit
        self.temperature = temperature
        self.label_filter = label_filter
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    def pseudo_labels(
            self,
            scores: Tensor,
            labels: Tensor | None = None,
            has_background: bool = False,
            valid: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Label the sure pixels of the weak view.

        Args:
            scores (Tensor): Raw class scores of shape (N, C, h, w), background
                first if ``has_background``, else (N, C - 1, h, w).
            labels (Tensor, optional): Multi-hot labels of the foreground
                classes, (N, C - 1); None filters nothing.
            has_background (bool): Defaults to False.
            valid (Tensor, optional): Bool of shape (N, h, w); False where the
                image is padded. Defaults to None, True everywhere.

        Returns:
            tuple[Tensor, Tensor, Tensor]: Best classes (int64, background 0),
            the sure pixels and, of those, the ring around (bool), each of shape
            (N, h, w). All without gradient.
        """
        if self.label_filter == 'none':
            labels = None
        with torch.no_grad():
            logits = self._logits(scores, labels, has_background)
            mask, confidence, classes = confidence_mask(
                logits, self.threshold, valid)
            ring = expansion_ring(
                mask, confidence, self.kernel_size, self.ring_threshold)
            if valid is not None:
                ring = ring & valid
        return classes, mask | ring, ring

    def forward(self,
                scores: Tensor,
                pseudo_labels: Tensor,
                mask: Tensor,
                labels: Tensor | None = None,
                has_background: bool = False,
                valid: Tensor | None = None) -> Tensor:
        """Compute the loss of the strong view.

        Args:
            scores (Tensor): Raw class scores of the strong view, as those of
                the weak one in :meth:`pseudo_labels`.
            pseudo_labels (Tensor): Classes of shape (N, h, w).
            mask (Tensor): Bool of shape (N, h, w); where they count.
            labels (Tensor, optional): As in :meth:`pseudo_labels`.
            has_background (bool): As there.
            valid (Tensor, optional): As there; what is padded is no pixel of the
                mean.

        Returns:
            Tensor: The weighted loss, a scalar.

        Raises:
            ValueError: If the two views' maps differ in size.
        """
        if scores.shape[2:] != mask.shape[1:]:
            raise ValueError(
                'both views must have score maps of one size, got '
                f'{tuple(scores.shape[2:])} and {tuple(mask.shape[1:])}')
        if self.label_filter != 'both':
            labels = None
        logits = self._logits(scores, labels, has_background)
        # A pixel that does not count may carry a class that is ruled out.
        losses = F.cross_entropy(
            logits, pseudo_labels.masked_fill(~mask, 0), reduction='none')
        total = losses[mask].sum()
        if self.reduction == 'sum':
            return self.loss_weight * total / len(mask)
        if self.reduction == 'mean_valid':
            valid = mask
        elif valid is None:
            valid = torch.ones_like(mask)
        count = valid.sum().float()
        all_reduce(count, op='mean')
        return self.loss_weight * total / count.clamp(min=1)

    def _logits(self, scores: Tensor, labels: Tensor | None,
                has_background: bool) -> Tensor:
        """What the softmax sees: (N, C, h, w), background first."""
        if scores.dtype != torch.float64:
            scores = scores.float()
        if not has_background:
            scores = self._add_background(scores, labels)
        logits = scores / self.temperature
        if labels is None:
            return logits
        absent = F.pad(labels, (1, 0), value=1) == 0
        if absent.shape != logits.shape[:2]:
            raise ValueError(
                f'labels of {labels.shape[1]} foreground classes do not fit '
                f'scores of {logits.shape[1] - 1}')
        return logits.masked_fill(absent[:, :, None, None], float('-inf'))

    def _add_background(self, scores: Tensor,
                        labels: Tensor | None) -> Tensor:
        if self.background == 'constant':
            background = torch.full_like(scores[:, :1], self.background_logit)
        else:
            scores = max_norm(scores.relu())
            present = scores
            if labels is not None:
                present = scores * labels[:, :, None, None]
            background = 1 - present.amax(dim=1, keepdim=True)
        return torch.cat([background, scores], dim=1)

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import torch
import torch.nn.functional as F
from mmseg.registry import MODELS
from torch import Tensor, nn

OVERLAPS = ('precision', 'iou')


@MODELS.register_module()
class EPSLoss(nn.Module):
    r"""Class maps that together make the saliency map.

    The probabilities of the image's classes, added up, are to show what is
    salient. A class that lies elsewhere (rails beside a train) joins the
    background instead, if less than a share :math:`\tau` of its region is
    salient. `Railroad is not a Train: Saliency as Pseudo-pixel Supervision for
    Weakly Supervised Semantic Segmentation <https://arxiv.org/abs/2105.08965>`_
    (EPS, CVPR 2021).

    With probabilities :math:`M_0` (background) to :math:`M_C` of a pixel's
    softmax, image labels :math:`y`, the saliency map :math:`S` and regions
    :math:`B_c = [M_c > 0.5], B_S = [S > 0.5]`:

    .. math::
        M_{fg} = \sum_{c = 1}^C y_c M_c [O_c > \tau], \quad
        M_{bg} = M_0 + \sum_{c = 1}^C y_c M_c [O_c \le \tau], \quad
        O_c = \frac {|B_c \cap B_S|} {|B_c|}

        \mathcal L_{sal} = \frac 1 {HW} \sum_p
        \left( \lambda M_{fg} + (1 - \lambda) (1 - M_{bg}) - S \right)_p^2

    Args:
        threshold (float): :math:`\tau`. Defaults to 0.4.
        mix (float): :math:`\lambda`; the authors take 0.5 on VOC and 0.9 on COCO.
            Defaults to 0.5.
        overlap (str): What :math:`O_c` is: ``'precision'``, as above, or
            ``'iou'``, whose denominator is the union. The code names it IoU and
            computes the precision, and that serves: of two objects of one size
            neither has an IoU above 0.5. Defaults to 'precision'.
        loss_weight (float): Factor of the loss. Defaults to 1.

    Raises:
        ValueError: If ``overlap`` is unknown.
    """

    def __init__(self,
                 threshold: float = 0.4,
                 mix: float = 0.5,
                 overlap: str = 'precision',
                 loss_weight: float = 1.) -> None:
        super().__init__()
        if overlap not in OVERLAPS:
            raise ValueError(f'overlap must be one of {OVERLAPS}, got {overlap!r}')
        self.threshold = threshold
        self.mix = mix
        self.overlap = overlap
        self.loss_weight = loss_weight

    def forward(self, scores: Tensor, saliency: Tensor, labels: Tensor) -> Tensor:
        """Compute the loss.

        Args:
            scores (Tensor): Raw class scores of shape (N, C, h, w), background
                first.
            saliency (Tensor): In [0, 1], of shape (N, 1, H, W); reduced to
                (h, w) by its nearest pixels.
            labels (Tensor): Multi-hot labels of the foreground classes, of
                shape (N, C - 1).

        Returns:
            Tensor: The weighted loss, a scalar.
        """
        if scores.dtype != torch.float64:
            scores = scores.float()
        saliency = F.interpolate(saliency.to(scores), size=scores.shape[2:])
        background, foreground = scores.softmax(dim=1).tensor_split((1, ), dim=1)
        overlap = self.region_overlap(foreground.detach(), saliency)
        salient = (overlap > self.threshold).to(scores)[:, :, None, None]
        foreground = foreground * labels.to(scores)[:, :, None, None]
        shown = (foreground * salient).sum(dim=1, keepdim=True)
        hidden = background + (foreground * (1 - salient)).sum(dim=1, keepdim=True)
        estimate = self.mix * shown + (1 - self.mix) * (1 - hidden)
        return self.loss_weight * F.mse_loss(estimate, saliency)

    def region_overlap(self, foreground: Tensor, saliency: Tensor) -> Tensor:
        """How much of each class's region is salient.

        Args:
            foreground (Tensor): Probabilities of shape (N, C - 1, h, w).
            saliency (Tensor): Of shape (N, 1, h, w).

        Returns:
            Tensor: In [0, 1), of shape (N, C - 1). As in the code, each pixel
            adds 1e-4 to the denominator, so that a class without region has 0.
        """
        region, salient = foreground.round(), saliency.round()
        both = region * salient
        whole = region if self.overlap == 'precision' else region + salient - both
        return both.sum(dim=(2, 3)) / (whole + 1e-4).sum(dim=(2, 3))


def saliency_maps(data_samples: list, like: Tensor) -> Tensor:
    """The saliency maps of a batch.

    Args:
        data_samples (list[:obj:`SegDataSample`]): With ``gt_saliency``, of 8
            bits.
        like (Tensor): Whose device and type the maps get.

    Returns:
        Tensor: In [0, 1], of shape (N, 1, H, W).

    Raises:
        ValueError: Naming the image, if a sample has none.
    """
    for sample in data_samples:
        if 'gt_saliency' not in sample:
            raise ValueError(
                f'image {sample.metainfo.get("img_path")} comes without a '
                'saliency map; put LoadSaliency into the training pipeline')
    maps = torch.stack([sample.gt_saliency.data for sample in data_samples])
    return maps.to(like) / 255

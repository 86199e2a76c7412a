# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import torch
from mmseg.registry import MODELS
from torch import Tensor, nn

from mmwsss.ops import max_norm


@MODELS.register_module()
class AreaLoss(nn.Module):
    r"""Mean size of the localisation maps.

    The mean over the classes of the mean of each map over its pixels. The paper
    leaves open what a localisation map is.

    ESOL, Eq. 6, whose other term is :class:`MultiLabelSoftMarginLoss`, with the
    weights :math:`\gamma` and :math:`\mu`:

    .. math::
        L_{shrinkage} = \gamma L(\hat y, y) + \mu L_{area}, \quad
        L_{area} = \frac 1 C \sum_{c=1}^C S_c, \quad
        S_c = \frac 1 {HW} \sum_{h=1}^H \sum_{w=1}^W P_c(h, w)

    Args:
        activation (str): What turns class maps into localisation maps in
            [0, 1]: ``'sigmoid'``, or ``'max_norm'`` (ReLU, then divided by the
            maximum of each map; blind to the scale of the map). Defaults to
            'sigmoid'.
        present_only (bool): Whether only the classes present in an image count.
            Defaults to False.
        loss_weight (float): The factor ``mu``. Defaults to 1.
        loss_name (str): Name in the log. Defaults to 'loss_area'.

    Raises:
        ValueError: If ``activation`` is unknown.
    """

    def __init__(self,
                 activation: str = 'sigmoid',
                 present_only: bool = False,
                 loss_weight: float = 1.,
                 loss_name: str = 'loss_area') -> None:
        super().__init__()
        if activation not in ('sigmoid', 'max_norm'):
            raise ValueError(
                f"activation must be 'sigmoid' or 'max_norm', got {activation!r}")
        self.activation = activation
        self.present_only = present_only
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    def forward(self, class_maps: Tensor, labels: Tensor) -> Tensor:
        """Compute the loss.

        Args:
            class_maps (Tensor): Raw class maps of shape (N, C, h, w).
            labels (Tensor): Multi-hot image labels of shape (N, C).

        Returns:
            Tensor: The weighted loss, a scalar.
        """
        class_maps = class_maps.float()
        if self.activation == 'sigmoid':
            maps = class_maps.sigmoid()
        else:
            maps = max_norm(class_maps.relu())
        sizes = maps.mean(dim=(2, 3))
        if self.present_only:
            sizes = sizes * labels
        # The divisor is C for absent classes too, as in the paper.
        return self.loss_weight * torch.mean(sizes)

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import torch
import torch.nn.functional as F
from mmseg.registry import MODELS
from mmseg.utils import add_prefix
from torch import Tensor

from .weak_segmentor import WeakSegmentor


@MODELS.register_module()
class SEAM(WeakSegmentor):
    """Two views of each photo through one network with shared weights.

    See :class:`SEAMHead`, which must be the ``decode_head``.

    Args:
        second_view (float | tuple[int]): The smaller view: a factor of both
            sides, or its (height, width). Defaults to 0.3, SEAM's; PPC takes
            (128, 128).
        *args: Arguments of :class:`WeakSegmentor`.
        **kwargs: Arguments of :class:`WeakSegmentor`.
    """

    def __init__(self,
                 *args,
                 second_view: float | tuple[int, int] = 0.3,
                 **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.second_view = second_view

    def extract_feat(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """Features of photos (N, 3, H, W), and last the photos themselves."""
        return (*super().extract_feat(inputs), inputs)

    def loss(self, inputs: Tensor, data_samples: list) -> dict[str, Tensor]:
        """Compute the losses of both views.

        Args:
            inputs (Tensor): Photos of shape (N, 3, H, W).
            data_samples (list[:obj:`SegDataSample`]): With ``image_labels``.

        Returns:
            dict[str, Tensor]: Losses by name.
        """
        if isinstance(self.second_view, float | int):
            # F.interpolate rounds down, too.
            size = [int(side * self.second_view) for side in inputs.shape[2:]]
        else:
            size = self.second_view
        second = F.interpolate(
            inputs, size=tuple(size), mode='bilinear', align_corners=True)
        losses = self.decode_head.loss_by_views(
            self.extract_feat(inputs), self.extract_feat(second), data_samples)
        return add_prefix(losses, 'decode')

    def class_maps_and_logits(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Revised maps, and logits from those before revision.

        Args:
            inputs (Tensor): Photos of shape (N, 3, H, W).

        Returns:
            tuple[Tensor]: Of shape (N, C - 1, h, w) and (N, C - 1).
        """
        maps, revised = self.decode_head.maps(self.extract_feat(inputs))
        return revised[:, 1:], self.decode_head.pool(maps)

    def predict_scores(self, class_maps: Tensor, logits: Tensor,
                       metas: list[dict]) -> Tensor:
        """Scores of the image's labels, or else of the probable classes.

        Revised maps are of one scale whether their class is there or not, so
        the logits say which to show.
        """
        shown = logits.sigmoid() > self.decode_head.score_thr
        shown = torch.cat([torch.ones_like(shown[:, :1]), shown], dim=1)
        metas = [
            dict(meta, image_labels=labels.tolist())
            if meta.get('image_labels') is None else meta
            for meta, labels in zip(metas, shown, strict=True)
        ]
        return super().predict_scores(class_maps, logits, metas)

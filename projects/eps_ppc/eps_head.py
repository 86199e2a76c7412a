# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from mmseg.registry import MODELS
from torch import Tensor, nn

from mmwsss.models.heads import CAMHead
from mmwsss.structures import ClassMaps

from .losses import saliency_maps


def split_scores(scores: Tensor) -> dict[str, Tensor]:
    """Fields of :class:`ClassMaps` from raw scores (N, C, h, w), background first.

    Seeds are made of the softmax, in which the background takes part, and
    compete with a constant like those of CAM.
    """
    return dict(
        maps=scores[:, 1:],
        background=scores[:, :1],
        seed_maps=scores.softmax(dim=1)[:, 1:])


@MODELS.register_module()
class EPSHead(CAMHead):
    """Class maps with a background that saliency teaches.

    A classifier of one channel more than there are classes; image labels train
    the classes, and a saliency map all of them: see
    :class:`~projects.eps_ppc.losses.EPSLoss`. `Railroad is not a Train: Saliency
    as Pseudo-pixel Supervision for Weakly Supervised Semantic Segmentation
    <https://arxiv.org/abs/2105.08965>`_ (EPS, CVPR 2021). What is trained so has
    image labels and saliency as its supervision (I+S).

    Args:
        *args: Arguments of :class:`CAMHead`.
        loss_saliency (dict): The loss of (scores, saliency, labels). Defaults to
            ``dict(type='EPSLoss')``.
        **kwargs: Arguments of :class:`CAMHead`.
    """

    def __init__(self,
                 *args,
                 loss_saliency: dict = dict(type='EPSLoss'),
                 **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.classifier = nn.Conv2d(
            self.channels, self.num_classes, kernel_size=1, bias=False)
        self.loss_saliency = MODELS.build(loss_saliency)

    def forward(self, inputs: tuple[Tensor, ...]) -> ClassMaps:
        """Score every pixel and the whole image; the background is no class."""
        fields = split_scores(self.classify(self._transform_inputs(inputs)))
        return ClassMaps(logits=self.pool(fields['maps']), **fields)

    def loss_by_feat(self, class_maps: ClassMaps,
                     batch_data_samples: list) -> dict[str, Tensor]:
        """Compute the losses.

        Args:
            class_maps (ClassMaps): What :meth:`forward` returned.
            batch_data_samples (list[:obj:`SegDataSample`]): With
                ``tags`` and ``gt_saliency``.

        Returns:
            dict[str, Tensor]: The classification loss and ``loss_saliency``.

        Raises:
            ValueError: If a sample lacks labels or saliency.
        """
        losses = super().loss_by_feat(class_maps, batch_data_samples)
        scores = class_maps.scores
        losses['loss_saliency'] = self.loss_saliency(
            scores, saliency_maps(batch_data_samples, scores),
            self.tags(batch_data_samples))
        return losses

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import torch
import torch.nn.functional as F
from mmseg.registry import MODELS
from torch import nn

from mmwsss.models.heads import CAMHead
from mmwsss.structures import ClassMaps


@MODELS.register_module()
class ReCAMHead(CAMHead):
    r"""Class activation maps, re-activated by a softmax classifier.

    The sigmoid loss of CAM lets classes share pixels. A second classifier
    learns from the feature under each present class's map, which must be told
    from all other classes; seeds are maps by the product of both classifiers'
    weights. `Class Re-Activation Maps for Weakly-Supervised Semantic
    Segmentation <https://arxiv.org/abs/2203.00962>`_ (CVPR 2022). Of CAM M of class k,
    divided by its maximum, the features f and both classifiers' weights w and w':

    .. math::
        f_k = \frac 1 {HW} \sum_i M_{k,i} f_i, \quad \mathcal L_k = -\log
        \operatorname{softmax}_k(w' f_k), \quad M'_k = (w_k \odot w'_k)^\top f

    Args:
        *args: Arguments of :class:`CAMHead`.
        recam_weight (float): Factor of the second loss. Defaults to 1.
        **kwargs: Arguments of :class:`CAMHead`.
    """

    def __init__(self, *args, recam_weight: float = 1., **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.recam_weight = recam_weight
        self.recam = nn.Conv2d(
            self.channels, self.num_classes - 1, kernel_size=1, bias=False)

    def forward(self, inputs):
        """Maps that are trained, and others that seeds are made of."""
        feat = self._transform_inputs(inputs)
        maps = self.classify(feat)
        seed_maps = F.conv2d(feat, self.classifier.weight * self.recam.weight)
        return ClassMaps(
            maps, self.pool(maps), seed_maps=seed_maps, extra=dict(feat=feat))

    def loss_by_feat(self, class_maps, batch_data_samples):
        """CAM's loss, and the softmax loss of each present class."""
        losses = super().loss_by_feat(class_maps, batch_data_samples)
        cams = class_maps.maps.relu()
        cams = cams / (cams.amax(dim=(2, 3), keepdim=True) + 1e-5)
        feat = class_maps.extra['feat']
        under = torch.einsum('nkhw,nchw->nkc', cams, feat) / feat[0, 0].numel()
        scores = under @ self.recam.weight.flatten(1).T
        images, classes = self.tags(batch_data_samples).nonzero(
            as_tuple=True)
        loss = F.cross_entropy(scores[images, classes], classes, reduction='sum')
        losses['loss_recam'] = self.recam_weight * loss / max(len(classes), 1)
        return losses

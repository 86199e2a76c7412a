# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from collections.abc import Sequence

from mmseg.registry import MODELS
from torch import Tensor, nn

from mmwsss.models.heads import SEAMHead
from mmwsss.models.heads.seam_head import upsample
from mmwsss.structures import ClassMaps

from .losses import prototype_view

XAVIER = dict(type='Xavier', distribution='uniform')


@MODELS.register_module()
class PPCHead(SEAMHead):
    """SEAM, whose pixels also learn from prototypes of classes.

    A projection of the deep features; what SEAM's revised maps are sure of makes
    a prototype of each class and a pseudo label of each pixel, in each of two
    views. Three losses contrast pixels with prototypes, across views and within
    them. `Weakly Supervised Semantic Segmentation by Pixel-to-Prototype Contrast
    <https://arxiv.org/abs/2110.07110>`_ (PPC, CVPR 2022).

    The segmentor's ``second_view`` is (128, 128); the larger view is compared at
    the map size of that.

    Args:
        in_channels (Sequence[int]): As in :class:`SEAMHead`.
        num_classes (int): All classes, background included.
        projection (int): Channels of the projection. Defaults to 128.
        background_score (float): See :func:`~projects.eps_ppc.losses.
            prototype_view`. Defaults to 0.2.
        top_ratio (float): As there. Defaults to 1 / 8.
        arbitrary_prototypes (bool): As there, ``arbitrary``. Defaults to False.
        full_size_seeds (bool): Whether maps for seeds are brought to the size of
            the input first (corners aligned), as the code does. Defaults to
            False.
        loss_cross_prototype (dict): Defaults to
            ``dict(type='CrossPrototypeLoss')``.
        loss_cross_label (dict): Defaults to ``dict(type='CrossLabelLoss')``.
        loss_intra_view (dict): Defaults to ``dict(type='IntraViewLoss')``.
        init_cfg (dict | list[dict], optional): Initialisation. Defaults to that
            of :class:`SEAMHead`, the projection Xavier's way.
        **kwargs: Further arguments of :class:`SEAMHead`.
    """

    def __init__(self,
                 in_channels: Sequence[int],
                 num_classes: int,
                 projection: int = 128,
                 background_score: float = 0.2,
                 top_ratio: float = 1 / 8,
                 arbitrary_prototypes: bool = False,
                 full_size_seeds: bool = False,
                 loss_cross_prototype: dict = dict(type='CrossPrototypeLoss'),
                 loss_cross_label: dict = dict(type='CrossLabelLoss'),
                 loss_intra_view: dict = dict(type='IntraViewLoss'),
                 init_cfg: dict | list[dict] | None = None,
                 **kwargs) -> None:
        super().__init__(
            in_channels,
            num_classes,
            init_cfg=init_cfg or dict(
                type='Kaiming',
                layer='Conv2d',
                mode='fan_in',
                override=[
                    dict(XAVIER, name='classifier'),
                    dict(XAVIER, name='project'),
                    dict(XAVIER, name='embed', gain=4)
                ]),
            **kwargs)
        self.project = nn.Conv2d(self.channels, projection, 1, bias=False)
        self.background_score = background_score
        self.top_ratio = top_ratio
        self.arbitrary_prototypes = arbitrary_prototypes
        self.full_size_seeds = full_size_seeds
        self.loss_cross_prototype = MODELS.build(loss_cross_prototype)
        self.loss_cross_label = MODELS.build(loss_cross_label)
        self.loss_intra_view = MODELS.build(loss_intra_view)

    def forward(self, inputs: tuple[Tensor, ...], images: Tensor) -> ClassMaps:
        """Score every pixel and the whole image.

        Args:
            inputs (tuple[Tensor]): Multi-level features of the backbone.
            images (Tensor): The images of shape (N, 3, H, W).

        Returns:
            ClassMaps: As of :class:`SEAMHead`, with the projected features
            (N, projection, h, w) as ``projected``.
        """
        *features, deep = self._transform_inputs(inputs)
        if self.dropout is not None:
            deep = self.dropout(deep)
        fields = self.split(self.classifier(deep))
        revised = self.revise(fields['maps'], features, images)
        size = images.shape[2:]
        if 'seed_maps' not in fields:
            fields['seed_maps'] = upsample(
                revised[:, 1:], size if self.full_size_seeds else revised.shape[2:])
        return ClassMaps(
            logits=self.pool(fields['maps']),
            extra=dict(
                revised=revised,
                size=size,
                projected=self.project(deep).relu()),
            **fields)

    def split(self, scores: Tensor) -> dict[str, Tensor]:
        """Fields of :class:`ClassMaps` from what the classifier says; seeds are
        the revised maps where there are none among them."""
        return dict(maps=scores)

    def loss_by_feat(self, class_maps: ClassMaps, batch_data_samples: list,
                     second: ClassMaps) -> dict[str, Tensor]:
        """Compute the losses of two views of the same images.

        Args:
            class_maps (ClassMaps): What :meth:`forward` returned for the larger
                view.
            batch_data_samples (list[:obj:`SegDataSample`]): With ``tags``.
            second (ClassMaps): What it returned for the smaller one.

        Returns:
            dict[str, Tensor]: SEAM's losses, ``loss_cross_prototype``,
            ``loss_cross_label`` and ``loss_intra_view``.
        """
        losses = super().loss_by_feat(class_maps, batch_data_samples, second)
        labels = self.tags(batch_data_samples)
        size = second.maps.shape[2:]
        views = [
            prototype_view(
                upsample(view.extra['projected'], size),
                upsample(view.extra['revised'].detach(), size), labels,
                self.background_score, self.top_ratio, self.arbitrary_prototypes)
            for view in (class_maps, second)
        ]
        losses['loss_cross_prototype'] = self.loss_cross_prototype(*views)
        losses['loss_cross_label'] = self.loss_cross_label(*views)
        losses['loss_intra_view'] = self.loss_intra_view(*views)
        return losses

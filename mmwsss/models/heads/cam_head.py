# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import torch
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.registry import MODELS
from torch import Tensor, nn

from mmwsss.ops import max_norm
from mmwsss.structures import ClassMaps, present_classes, stack_tags
from mmwsss.utils.renamed import renamed_arguments


@MODELS.register_module()
class CAMHead(BaseDecodeHead):
    r"""Class activation maps from image labels.

    A bias-free 1x1 convolution scores every pixel for every foreground class;
    the mean of a class's map is its image-level logit (the same as pooling
    first, since both are linear). `Learning Deep Features for Discriminative
    Localization <https://arxiv.org/abs/1512.04150>`_.

    The logit and the map of class c in single-stage segmentation, Eqs. 1 and 2 (with
    features x and weights a), and in FSAE, Eqs. 1 and 2 (with F and w):

    .. math::
        y_c^{GAP} = \frac 1 {hw} \sum_{k=1}^K a_{c,k} \sum_{i,j} x_{k,i,j}, \quad
        m_{c,:,:}^{CAM} = \max \left(0, \sum_{k=1}^K a_{c,k} x_{k,:,:}\right)

        s_c = \frac 1 {HW} \sum_d^D w_{c,d} \sum_i F_{d,i}, \quad
        M_c = \operatorname{ReLU}\left(\sum_d^D w_{c,d} F_{d,:}\right)

    ESOL, Eq. 2, with the features f and the weights w of a class; predictions divide
    by the maximum, too:

    .. math::
        CAM(x; w) = \frac {w_c^T f(x; \theta_f)} {\max w_c^T f(x; \theta_f)}

    Args:
        in_channels (int): Channels of the feature map.
        num_classes (int): All classes, background included. The classifier has
            ``num_classes - 1`` channels.
        dropout_ratio (float): Channel dropout before the classifier. Defaults
            to 0.
        loss_decode (dict): Image-level loss of (logits, labels), both of shape
            (N, C - 1). Defaults to :class:`MultiLabelSoftMarginLoss`.
        bg_thr (float): The constant background score that normalised maps
            compete with in a prediction. Defaults to 0.15.
        score_thr (float): Without image labels, a prediction shows the classes
            whose probability exceeds this. Defaults to 0.5.
        init_cfg (dict | list[dict], optional): Initialisation; PyTorch's
            default without it.
        **kwargs: Further arguments of :class:`BaseDecodeHead`.
    """

    gives_class_maps = True
    """bool: Whether :meth:`forward` answers :class:`ClassMaps`, in training, too,
    and :meth:`loss_by_feat` and :meth:`predict_by_feat` take it."""

    needs_images = False
    """bool: Whether :meth:`forward` gets the images, too."""

    @renamed_arguments(bg_score='bg_thr')
    def __init__(self,
                 in_channels: int,
                 num_classes: int,
                 dropout_ratio: float = 0.,
                 loss_decode: dict = dict(type='MultiLabelSoftMarginLoss'),
                 bg_thr: float = 0.15,
                 score_thr: float = 0.5,
                 init_cfg: dict | list[dict] | None = None,
                 **kwargs) -> None:
        if num_classes < 2:
            raise ValueError(
                'num_classes counts the background and must be at least 2, '
                f'got {num_classes}')
        kwargs.setdefault('channels', in_channels)
        # One channel a class, also for two classes, where mmseg would advise
        # a single one.
        kwargs.setdefault('out_channels', num_classes)
        super().__init__(
            in_channels,
            num_classes=num_classes,
            dropout_ratio=dropout_ratio,
            loss_decode=loss_decode,
            init_cfg=init_cfg,
            **kwargs)
        del self.conv_seg
        self.bg_thr: float | None = bg_thr
        self.score_thr = score_thr
        self.classifier = nn.Conv2d(
            self.channels, num_classes - 1, kernel_size=1, bias=False)

    def forward(self, inputs: tuple[Tensor, ...]) -> ClassMaps:
        """Score every pixel and the whole image.

        All else reads what this returns; a head with other maps, other logits
        or a background of its own overrides it, or :meth:`pool` alone.

        Args:
            inputs (tuple[Tensor]): Multi-level features of the backbone. A head
                with ``needs_images`` gets the images (N, 3, H, W), as the
                backbone does, as second argument.

        Returns:
            ClassMaps: Maps of shape (N, C - 1, h, w) and logits of (N, C - 1).
        """
        maps = self.classify(self._transform_inputs(inputs))
        return ClassMaps(maps, self.pool(maps))

    def classify(self, feat: Tensor) -> Tensor:
        """Raw class maps (N, C - 1, h, w) of features (N, channels, h, w)."""
        if self.dropout is not None:
            feat = self.dropout(feat)
        return self.classifier(feat)

    def pool(self, maps: Tensor) -> Tensor:
        """Pool raw class maps (N, C - 1, h, w) into logits (N, C - 1)."""
        return maps.mean(dim=(2, 3))

    def tags(self, batch_data_samples: list) -> Tensor:
        """The labels of a batch, where this head's weights are, if it has any.

        Args:
            batch_data_samples (list[:obj:`SegDataSample`]): With ``tags``.

        Returns:
            Tensor: Multi-hot float labels of shape (N, C - 1).

        Raises:
            ValueError: If a sample has no image labels, or labels of another
                number of classes.
        """
        weight = next(self.parameters(), None)
        return stack_tags(batch_data_samples, self.num_classes,
                          None if weight is None else weight.device)

    def loss(self, inputs: tuple[Tensor, ...], batch_data_samples: list,
             train_cfg: dict) -> dict[str, Tensor]:
        """Compute the losses inside mmseg's own segmentor.

        Args:
            inputs (tuple[Tensor]): Multi-level features of the backbone.
            batch_data_samples (list[:obj:`SegDataSample`]): With ``tags``.
            train_cfg (dict): Unused; part of mmseg's interface.

        Returns:
            dict[str, Tensor]: Losses by name.
        """
        return self.loss_by_feat(self.forward(inputs), batch_data_samples)

    def loss_by_feat(self, class_maps: ClassMaps,
                     batch_data_samples: list) -> dict[str, Tensor]:
        """Compute the losses.

        Args:
            class_maps (ClassMaps): What :meth:`forward` returned.
            batch_data_samples (list[:obj:`SegDataSample`]): With ``tags``.

        Returns:
            dict[str, Tensor]: Losses by name.

        Raises:
            ValueError: See :meth:`tags`.
        """
        labels = self.tags(batch_data_samples)
        loss = self.loss_decode(class_maps.logits, labels)
        return {self.loss_decode.loss_name: loss}

    def predict(self, inputs: tuple[Tensor, ...], batch_img_metas: list[dict],
                test_cfg: dict) -> Tensor:
        """Predict class scores inside mmseg's own segmentor.

        Args:
            inputs (tuple[Tensor]): Multi-level features of the backbone.
            batch_img_metas (list[dict]): Meta information of the images. Where
                it has ``tags``, only those classes are shown.
            test_cfg (dict): Unused; part of mmseg's interface.

        Returns:
            Tensor: Scores of shape (N, C, H, W) at the size of the input,
            background first.
        """
        return self.predict_by_feat(self.forward(inputs), batch_img_metas)

    def predict_by_feat(self, class_maps: ClassMaps,
                        batch_img_metas: list[dict]) -> Tensor:
        """Class scores at the size of the input.

        Args:
            class_maps (ClassMaps): What :meth:`forward` returned.
            batch_img_metas (list[dict]): Meta information of the images.

        Returns:
            Tensor: Scores of shape (N, C, H, W): the maps for seeds that remain
            of the shown classes after ReLU, behind their background. Where they
            have none, each is divided by its maximum, and a constant is the
            background.

        Raises:
            ValueError: If there is neither a background nor a constant.
        """
        shown = self.shown_classes(class_maps, batch_img_metas)
        scores = super().predict_by_feat(
            class_maps.seed_scores.relu(), batch_img_metas)
        if class_maps.seed_background is not None:
            background, scores = scores[:, :1], scores[:, 1:]
        elif self.bg_thr is not None:
            scores = max_norm(scores)
            background = torch.full_like(scores[:, :1], self.bg_thr)
        else:
            raise ValueError(f'maps of {type(self).__name__} have no background '
                             'of their own: predictions need bg_thr')
        return torch.cat([background, scores * shown[:, :, None, None]], dim=1)

    def shown_classes(self, class_maps: ClassMaps,
                      batch_img_metas: list[dict]) -> Tensor:
        """Which classes a prediction may hold, bool of shape (N, C - 1)."""
        return torch.stack([
            present_classes(meta, self.num_classes, probabilities, self.score_thr)
            for meta, probabilities in zip(
                batch_img_metas, class_maps.logits.sigmoid(), strict=True)
        ])

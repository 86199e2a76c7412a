# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import torch
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.registry import MODELS
from torch import Tensor, nn

from mmwsss.structures import stack_image_labels


@MODELS.register_module()
class CAMHead(BaseDecodeHead):
    """Class activation maps from image labels.

    A bias-free 1x1 convolution scores every pixel for every foreground class;
    the mean of a class's map is its image-level logit (the same as pooling
    first, since both are linear). `Learning Deep Features for Discriminative
    Localization <https://arxiv.org/abs/1512.04150>`_.

    Args:
        in_channels (int): Channels of the feature map.
        num_classes (int): All classes, background included. The classifier has
            ``num_classes - 1`` channels.
        dropout_ratio (float): Channel dropout before the classifier. Defaults
            to 0.
        loss_decode (dict): Image-level loss of (logits, labels), both of shape
            (N, C - 1). Defaults to :class:`MultiLabelSoftMarginLoss`.
        bg_score (float): The constant background score that normalised maps
            compete with in a prediction. Defaults to 0.15.
        score_thr (float): Without image labels, a prediction shows the classes
            whose probability exceeds this. Defaults to 0.5.
        init_cfg (dict | list[dict], optional): Initialisation; PyTorch's
            default without it.
        **kwargs: Further arguments of :class:`BaseDecodeHead`.
    """

    def __init__(self,
                 in_channels: int,
                 num_classes: int,
                 dropout_ratio: float = 0.,
                 loss_decode: dict = dict(type='MultiLabelSoftMarginLoss'),
                 bg_score: float = 0.15,
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
        self.bg_score = bg_score
        self.score_thr = score_thr
        self.classifier = nn.Conv2d(
            self.channels, num_classes - 1, kernel_size=1, bias=False)

    def forward(self, inputs: tuple[Tensor, ...]) -> Tensor:
        """Score every pixel.

        Args:
            inputs (tuple[Tensor]): Multi-level features of the backbone.

        Returns:
            Tensor: Raw class maps of shape (N, C - 1, h, w), foreground only.
        """
        return self._classify(self._transform_inputs(inputs))

    def class_maps(self, inputs: tuple[Tensor, ...]) -> Tensor:
        """Alias of :meth:`forward` that says what it returns: raw class maps
        of shape (N, C - 1, h, w)."""
        return self.forward(inputs)

    def class_logits(self, inputs: tuple[Tensor, ...]) -> Tensor:
        """Image-level logits of shape (N, C - 1)."""
        return self.pool(self.forward(inputs))

    def pool(self, class_maps: Tensor) -> Tensor:
        """Pool class maps (N, C - 1, h, w) into logits (N, C - 1)."""
        return class_maps.mean(dim=(2, 3))

    def loss(self, inputs: tuple[Tensor, ...], batch_data_samples: list,
             train_cfg: dict) -> dict[str, Tensor]:
        """Compute the image-level loss.

        Args:
            inputs (tuple[Tensor]): Multi-level features of the backbone.
            batch_data_samples (list[:obj:`SegDataSample`]): With
                ``image_labels``.
            train_cfg (dict): Unused; part of mmseg's interface.

        Returns:
            dict[str, Tensor]: Losses by name.

        Raises:
            ValueError: If a sample has no image labels, or labels of another
                number of classes.
        """
        return self.loss_by_feat(self.class_maps(inputs), batch_data_samples)

    def loss_by_feat(self, class_maps: Tensor,
                     batch_data_samples: list) -> dict[str, Tensor]:
        """Losses from raw class maps (N, C - 1, h, w)."""
        labels = self._stack_labels(batch_data_samples, class_maps.device)
        loss = self.loss_decode(self.pool(class_maps), labels)
        return {self.loss_decode.loss_name: loss}

    def predict(self, inputs: tuple[Tensor, ...], batch_img_metas: list[dict],
                test_cfg: dict) -> Tensor:
        """Predict class scores.

        Args:
            inputs (tuple[Tensor]): Multi-level features of the backbone.
            batch_img_metas (list[dict]): Meta information of the images. Where
                it has ``image_labels``, only those classes are shown.
            test_cfg (dict): Unused; part of mmseg's interface.

        Returns:
            Tensor: Scores of shape (N, C, H, W) at the size of the input,
            background first.
        """
        return self.predict_by_feat(self.forward(inputs), batch_img_metas)

    def predict_by_feat(self, class_maps: Tensor,
                        batch_img_metas: list[dict]) -> Tensor:
        """Class scores from raw class maps.

        Args:
            class_maps (Tensor): Of shape (N, C - 1, h, w).
            batch_img_metas (list[dict]): Meta information of the images.

        Returns:
            Tensor: The constant background score and the maps that remain of
            the shown classes after ReLU, each divided by its maximum, of shape
            (N, C, H, W).
        """
        shown = self._shown_classes(class_maps, batch_img_metas)
        scores = super().predict_by_feat(class_maps.relu(), batch_img_metas)
        scores = scores / (scores.amax(dim=(2, 3), keepdim=True) + 1e-5)
        scores = scores * shown[:, :, None, None]
        background = torch.full_like(scores[:, :1], self.bg_score)
        return torch.cat([background, scores], dim=1)

    def _classify(self, feat: Tensor) -> Tensor:
        if self.dropout is not None:
            feat = self.dropout(feat)
        return self.classifier(feat)

    def _stack_labels(self, batch_data_samples: list,
                      device: torch.device) -> Tensor:
        labels = stack_image_labels(batch_data_samples, device=device)
        if labels.shape[1] != self.num_classes - 1:
            raise ValueError(
                f'the head has num_classes={self.num_classes} (background '
                f'included) but the image labels have {labels.shape[1] + 1}')
        return labels

    def _shown_classes(self, class_maps: Tensor,
                       batch_img_metas: list[dict]) -> Tensor:
        """Which classes a prediction may hold, bool of shape (N, C - 1)."""
        shown = self.pool(class_maps).sigmoid() > self.score_thr
        for i, meta in enumerate(batch_img_metas):
            if meta.get('image_labels') is not None:
                shown[i] = torch.as_tensor(
                    meta['image_labels'][1:], device=shown.device).bool()
        return shown

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from collections.abc import Sequence

import torch
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import Tensor

from mmwsss.structures import LabelGrid
from mmwsss.utils.renamed import renamed_arguments


class PixelPairHead(BaseDecodeHead):
    """What heads of pixel pairs share: many features, label maps, no classes.

    Args:
        in_channels (Sequence[int]): Channels of the features, shallow ones first.
        num_classes (int): All classes, background included; the output does not
            depend on them.
        in_index (Sequence[int]): Which of the backbone's outputs the features are.
            Defaults to (0, 1, 2, 3, 4).
        size_index (int): Which of the features has the size of the output. Defaults
            to 1: the first stage, stride 4.
        detach_inputs (bool): Whether the backbone gets no gradient from here.
            Defaults to True.
        **kwargs: Further arguments of :class:`BaseDecodeHead`.
    """

    gives_class_maps = False

    @renamed_arguments(size_tap='size_index', detach_taps='detach_inputs')
    def __init__(self,
                 in_channels: Sequence[int],
                 num_classes: int = 2,
                 in_index: Sequence[int] = (0, 1, 2, 3, 4),
                 size_index: int = 1,
                 detach_inputs: bool = True,
                 init_cfg: dict | list[dict] | None = None,
                 **kwargs) -> None:
        if len(in_channels) != len(in_index):
            raise ValueError('in_channels and in_index must be of one length, '
                             f'got {tuple(in_channels)} and {tuple(in_index)}')
        if not 0 <= size_index < len(in_channels):
            raise ValueError(f'size_index must be one of {len(in_channels)} features, '
                             f'got {size_index}')
        kwargs.setdefault('channels', 1)
        super().__init__(
            list(in_channels),
            num_classes=num_classes,
            out_channels=num_classes,
            in_index=list(in_index),
            input_transform='multiple_select',
            dropout_ratio=0,
            init_cfg=init_cfg,
            **kwargs)
        del self.conv_seg
        self.size_index = size_index
        self.detach_inputs = detach_inputs

    def select_inputs(self, inputs: tuple[Tensor, ...]) -> list[Tensor]:
        """The features, without gradient where they are detached."""
        features = self._transform_inputs(inputs)
        if self.detach_inputs:
            return [feature.detach() for feature in features]
        return list(features)

    def loss(self, inputs: tuple[Tensor, ...], batch_data_samples: list,
             train_cfg: dict) -> dict[str, Tensor]:
        """Compute the loss from label maps.

        Args:
            inputs (tuple[Tensor]): Multi-level features of the backbone.
            batch_data_samples (list[:obj:`SegDataSample`]): With
                ``gt_sem_seg``, the labels of :class:`IRNLabel` or
                :class:`PSALabel`, 255 is undecided.
            train_cfg (dict): Unused; part of mmseg's interface.

        Returns:
            dict[str, Tensor]: Losses by name.
        """
        output = self.forward(inputs)
        label = torch.cat(
            [sample.gt_sem_seg.data for sample in batch_data_samples])
        label = self.reduce_label(label, output.shape[2:])
        losses = self.loss_decode(output, label)
        if isinstance(losses, dict):
            return losses
        return {self.loss_decode.loss_name: losses}

    def reduce_label(self, label: Tensor, size: Sequence[int]) -> Tensor:
        """Bring labels (N, H, W) to the (h, w) of the output."""
        return LabelGrid(label.shape[1:], size).sample(label).long()

    def guide(self, inputs: tuple[Tensor, ...]) -> Tensor:
        """What guides a walk, before views are merged; see :meth:`forward`."""
        return self.forward(inputs)

    def predict(self, inputs: tuple[Tensor, ...], batch_img_metas: list[dict],
                test_cfg: dict) -> Tensor:
        """Boundaries, displacements and affinities are no classes."""
        raise ValueError(
            f'{type(self).__name__} predicts no classes; tools/walk_seeds.py '
            'spreads the scores of seeds by it')

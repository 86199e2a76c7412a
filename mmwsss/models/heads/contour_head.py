# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from collections.abc import Sequence

import torch
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.registry import MODELS
from torch import Tensor, nn

from mmwsss.structures import LabelGrid

from ..layers import TapReduction


class TapHead(BaseDecodeHead):
    """What heads of pixel pairs share: many taps, label maps, no classes.

    Args:
        in_channels (Sequence[int]): Channels of the taps, shallow ones first.
        num_classes (int): All classes, background included; the output does not
            depend on them.
        in_index (Sequence[int]): Which of the backbone's outputs the taps are.
            Defaults to (0, 1, 2, 3, 4).
        size_tap (int): Which of the taps has the size of the output. Defaults
            to 1: the first stage, stride 4.
        detach_taps (bool): Whether the backbone gets no gradient from here.
            Defaults to True.
        **kwargs: Further arguments of :class:`BaseDecodeHead`.
    """

    gives_class_maps = False

    def __init__(self,
                 in_channels: Sequence[int],
                 num_classes: int = 2,
                 in_index: Sequence[int] = (0, 1, 2, 3, 4),
                 size_tap: int = 1,
                 detach_taps: bool = True,
                 init_cfg: dict | list[dict] | None = None,
                 **kwargs) -> None:
        if len(in_channels) != len(in_index):
            raise ValueError('in_channels and in_index must be of one length, '
                             f'got {tuple(in_channels)} and {tuple(in_index)}')
        if not 0 <= size_tap < len(in_channels):
            raise ValueError(f'size_tap must be one of {len(in_channels)} taps, '
                             f'got {size_tap}')
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
        self.size_tap = size_tap
        self.detach_taps = detach_taps

    def taps(self, inputs: tuple[Tensor, ...]) -> list[Tensor]:
        """The taps, without gradient where they are detached."""
        taps = self._transform_inputs(inputs)
        return [tap.detach() for tap in taps] if self.detach_taps else list(taps)

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
        raise NotImplementedError(
            f'{type(self).__name__} predicts no classes; tools/walk_seeds.py '
            'spreads the scores of seeds by it')


@MODELS.register_module()
class ContourHead(TapHead):
    """Class boundaries from several taps of a backbone.

    Each tap is reduced, brought to the size of one of them (stride 4), and all
    are joined to one logit a pixel: does a boundary between classes run here?
    It learns from pairs of pixels and is never shown a boundary: somewhere
    between two pixels of different labels there is one, between two of the same
    label there is none. `Weakly Supervised Learning of Instance Segmentation
    with Inter-pixel Relations <https://arxiv.org/abs/1904.05044>`_ (IRN, Ahn et
    al., CVPR 2019), Sec. 4.2.

    Args:
        in_channels (Sequence[int]): Channels of the taps: behind the stem's
            max pool and of the four stages, in a ResNet
            (:class:`StemTapResNet`).
        tap_channels (int): What each tap is reduced to. Defaults to 32.
        groups (int): Groups of the normalisation. Defaults to 4.
        loss_decode (dict): Loss of boundary logits (N, 1, h, w) and label maps
            (N, h, w). Defaults to :class:`PathAffinityLoss`.
        **kwargs: Arguments of :class:`TapHead`.
    """

    def __init__(self,
                 in_channels: Sequence[int],
                 tap_channels: int = 32,
                 groups: int = 4,
                 loss_decode: dict = dict(type='PathAffinityLoss'),
                 **kwargs) -> None:
        super().__init__(in_channels, loss_decode=loss_decode, **kwargs)
        self.reduce = nn.ModuleList(
            TapReduction(width, tap_channels, groups) for width in in_channels)
        self.fuse = nn.Conv2d(len(in_channels) * tap_channels, 1, 1)

    def forward(self, inputs: tuple[Tensor, ...]) -> Tensor:
        """Boundary logits.

        Args:
            inputs (tuple[Tensor]): Multi-level features of the backbone.

        Returns:
            Tensor: Of shape (N, 1, h, w), the size of the tap ``size_tap``.
        """
        taps = self.taps(inputs)
        size = taps[self.size_tap].shape[2:]
        return self.fuse(
            torch.cat([
                reduce(tap, size)
                for reduce, tap in zip(self.reduce, taps, strict=True)
            ], dim=1))

    def merge_guides(self, guides: list[Tensor]) -> Tensor:
        """Boundary probabilities of an image from several views.

        Args:
            guides (list[Tensor]): Logits of shape (1, 1, h, w) each, turned
                back where the view was flipped.

        Returns:
            Tensor: The sigmoid of their mean, of shape (1, 1, h, w).
        """
        return torch.stack(guides).mean(dim=0).sigmoid()

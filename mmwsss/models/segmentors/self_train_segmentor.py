# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import torch
from mmseg.registry import MODELS
from mmseg.utils import add_prefix
from torch import Tensor, nn

from .weak_segmentor import WeakSegmentor


@MODELS.register_module()
class SelfTrainSegmentor(WeakSegmentor):
    """A weak segmentor whose head makes pixel labels of the photos.

    Its ``decode_head``, such as :class:`NGWPHead`, gets the photos beside their
    features. With :class:`~mmwsss.engine.hooks.EMAPseudoLabelHook` a moving
    average of the model makes the labels.

    Args:
        *args: Arguments of :class:`WeakSegmentor`.
        **kwargs: Arguments of :class:`WeakSegmentor`.
    """

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        # In a tuple, and so no submodule.
        self._teacher: tuple[nn.Module | None] = (None, )

    def set_teacher(self, teacher: nn.Module | None) -> None:
        """Let another model make the labels.

        Args:
            teacher (nn.Module, optional): A model as this one, whose weights
                average those of this one; None for this one itself.
        """
        self._teacher = (teacher, )

    def score_maps(self, inputs: Tensor) -> Tensor:
        """Logits (N, C, h, w) of images (N, 3, H, W), background first."""
        return self.decode_head.score_maps(self.extract_feat(inputs))

    def loss(self, inputs: Tensor, data_samples: list) -> dict[str, Tensor]:
        """The losses of the head.

        Args:
            inputs (Tensor): Photos of shape (N, 3, H, W).
            data_samples (list[:obj:`SegDataSample`]): With ``image_labels``.

        Returns:
            dict[str, Tensor]: Losses by name.
        """
        teacher, = self._teacher
        label_maps = None
        if teacher is not None and self.stage == 'self_train':
            with torch.no_grad():
                label_maps = teacher.class_maps(inputs)
        losses = self.decode_head.loss(
            self.extract_feat(inputs),
            data_samples,
            self.train_cfg,
            images=inputs,
            label_maps=label_maps)
        return add_prefix(losses, 'decode')

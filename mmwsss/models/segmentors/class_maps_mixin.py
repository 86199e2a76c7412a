# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable
from typing import Any

import torch
from mmseg.utils import add_prefix
from torch import Tensor, nn

from mmwsss.structures import ClassMaps


class ClassMapsMixin:
    """One forward pass of an encoder-decoder, from which all else is read."""

    # What the encoder-decoder has that this is mixed into.
    extract_feat: Callable[[Tensor], tuple[Tensor, ...]]
    decode_head: Any
    with_auxiliary_head: bool
    _auxiliary_head_forward_train: Callable[
        [tuple[Tensor, ...], list], dict[str, Tensor]]

    def class_maps(self, inputs: Tensor) -> ClassMaps:
        """What the head answers about images.

        Args:
            inputs (Tensor): Images of shape (N, 3, H, W).

        Raises:
            ValueError: If the head has no class maps.
        """
        return self._as_class_maps(
            self._decode(self.extract_feat(inputs), inputs))

    def loss_and_class_maps(
            self, inputs: Tensor,
            data_samples: list) -> tuple[dict[str, Tensor], ClassMaps]:
        """The losses of the head, and the class maps that they judge.

        Args:
            inputs (Tensor): Images of shape (N, 3, H, W).
            data_samples (list[:obj:`SegDataSample`]): Their samples.
        """
        views = [inputs, *self.more_views(inputs)]
        feats = [self.extract_feat(view) for view in views]
        answers = [self._decode(feat, view)
                   for feat, view in zip(feats, views, strict=True)]
        losses = add_prefix(
            self.decode_head.loss_by_feat(
                answers[0], data_samples, *answers[1:],
                **self.loss_context(inputs)), 'decode')
        if self.with_auxiliary_head:
            losses.update(
                self._auxiliary_head_forward_train(feats[0], data_samples))
        return losses, self._as_class_maps(answers[0])

    def more_views(self, inputs: Tensor) -> list[Tensor]:
        """Further views of the images that the head's losses compare."""
        return []

    def loss_context(self, inputs: Tensor) -> dict[str, Any]:
        """Further arguments of the head's ``loss_by_feat``."""
        return {}

    def _decode(self, feats: tuple[Tensor, ...],
                inputs: Tensor) -> ClassMaps | Tensor:
        if getattr(self.decode_head, 'needs_images', False):
            return self.decode_head(feats, inputs)
        return self.decode_head(feats)

    def _as_class_maps(self, answer: ClassMaps | Tensor) -> ClassMaps:
        if isinstance(answer, ClassMaps):
            return answer
        head = self.decode_head
        if not torch.is_tensor(answer) or answer.shape[1] != head.num_classes:
            raise ValueError(
                f'{type(head).__name__} answers no class maps of num_classes='
                f'{head.num_classes}')
        return ClassMaps.from_scores(answer)


class TeacherMixin:
    """Another model, such as a moving average, that makes labels."""

    # A module with class_maps or None; in a tuple, and so no submodule.
    _teacher: tuple[Any] = (None, )

    def set_teacher(self, teacher: nn.Module | None) -> None:
        """Let another model make the labels.

        Args:
            teacher (nn.Module, optional): A model as this one, whose weights
                average those of this one; None for this one itself.
        """
        self._teacher = (teacher, )

    @torch.no_grad()
    def teacher_maps(self, inputs: Tensor) -> ClassMaps | None:
        """What the teacher answers about images (N, 3, H, W), if there is one."""
        teacher, = self._teacher
        return None if teacher is None else teacher.class_maps(inputs)


def gives_class_maps(head: nn.Module, default: bool = False) -> bool:
    """Whether a head answers class maps; of mmseg's own heads, ``default``."""
    return getattr(head, 'gives_class_maps', default)

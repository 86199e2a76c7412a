# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from typing import Any

from mmseg.registry import MODELS
from torch import Tensor

from .class_maps_mixin import TeacherMixin
from .weak_segmentor import WeakSegmentor


@MODELS.register_module()
class SelfTrainSegmentor(TeacherMixin, WeakSegmentor):
    """A weak segmentor whose head, such as :class:`NGWPHead`, labels the images.

    With :class:`~mmwsss.engine.hooks.EMAPseudoLabelHook` a moving average of
    the model makes the labels.

    Args:
        *args: Arguments of :class:`WeakSegmentor`.
        **kwargs: Arguments of :class:`WeakSegmentor`.
    """

    def loss_context(self, inputs: Tensor) -> dict[str, Any]:
        """What the teacher answers, where there is one, as ``label_maps``."""
        if self.stage != 'self_train':
            return {}
        return dict(label_maps=self.teacher_maps(inputs))

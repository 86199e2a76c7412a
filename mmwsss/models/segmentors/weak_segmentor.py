# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from collections.abc import Sequence

import torch.nn.functional as F
from mmseg.models import EncoderDecoder
from mmseg.registry import MODELS
from torch import Tensor, nn

from mmwsss.ops import max_norm
from mmwsss.structures import Seed, present_classes

from ..heads import CAMHead
from ..layers import keep_statistics
from .class_maps_mixin import ClassMapsMixin, gives_class_maps


@MODELS.register_module()
class WeakSegmentor(ClassMapsMixin, EncoderDecoder):
    """An encoder-decoder trained from image labels.

    It adds to mmseg's segmentor what class activation maps need: freezing for
    any backbone, stages, a second view, and seeds as predictions. Whatever it
    tells of class maps comes from one call of its head; see :class:`ClassMaps`.

    Args:
        norm_eval (bool): Whether every batch normalisation of the backbone
            normalises with its running statistics, in training too; its affine
            parameters still learn. Defaults to False: as the backbone says.
        frozen (Sequence[str]): Prefixes of the names of backbone parameters that
            never learn, such as ``'timm_model.conv_stem'``. Defaults to ().
        second_view (float | tuple[int], optional): A second, smaller view of
            each image for heads whose losses compare two, such as
            :class:`SEAMHead`: a factor of both sides, or its (height, width).
            Defaults to None: one view.
        *args: Arguments of :class:`EncoderDecoder`.
        **kwargs: Arguments of :class:`EncoderDecoder`.

    Raises:
        ValueError: If a prefix of ``frozen`` names no parameter, or ``test_cfg`` asks
            for sliding windows.
    """

    def __init__(self,
                 *args,
                 norm_eval: bool = False,
                 frozen: Sequence[str] = (),
                 second_view: float | tuple[int, int] | None = None,
                 **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if (self.test_cfg or {}).get('mode', 'whole') != 'whole':
            raise ValueError(f'{type(self).__name__} computes whole photos, got '
                             f'test_cfg.mode={self.test_cfg["mode"]!r}')
        self.norm_eval = norm_eval
        self.second_view = second_view
        names = [name for name, _ in self.backbone.named_parameters()]
        for prefix in frozen:
            if not any(name.startswith(prefix) for name in names):
                raise ValueError(
                    f'frozen={prefix!r} names no parameter of the backbone, '
                    f'which has {names[0]} ... {names[-1]}')
        for name, parameter in self.backbone.named_parameters():
            if name.startswith(tuple(frozen)):
                parameter.requires_grad_(False)
        self._feature_parameters = [
            parameter for module in self._feature_modules()
            for parameter in module.parameters() if parameter.requires_grad
        ]
        self._freeze_features()

    @property
    def stage(self) -> str | None:
        """str | None: The stage of the head, None where it has no stages."""
        return getattr(self.decode_head, 'stage', None)

    def switch_stage(self, stage: str) -> None:
        """Enter a stage of the head; see its ``switch_stage``.

        Args:
            stage (str): The name of the stage.

        Raises:
            ValueError: If the head has no stages or does not know this one.
        """
        if not hasattr(self.decode_head, 'switch_stage'):
            raise ValueError(f'{type(self.decode_head).__name__} has no stages, '
                             f'cannot switch to {stage!r}')
        self.decode_head.switch_stage(stage)
        self._freeze_features()
        self.train(self.training)

    def train(self, mode: bool = True) -> 'WeakSegmentor':
        """Set the training mode, but keep frozen statistics frozen."""
        super().train(mode)
        if not self._trains_features:
            for module in self._feature_modules():
                module.eval()
        elif self.norm_eval:
            keep_statistics(self.backbone)
        return self

    def more_views(self, inputs: Tensor) -> list[Tensor]:
        """The second view of images (N, 3, H, W), where there is one."""
        if self.second_view is None:
            return []
        if isinstance(self.second_view, float | int):
            # F.interpolate rounds down, too.
            factor = self.second_view
            height, width = (int(side * factor) for side in inputs.shape[2:])
        else:
            height, width = self.second_view
        return [F.interpolate(
            inputs, size=(height, width), mode='bilinear', align_corners=True)]

    def loss(self, inputs: Tensor, data_samples: list) -> dict[str, Tensor]:
        """Compute the losses.

        Args:
            inputs (Tensor): Images of shape (N, 3, H, W).
            data_samples (list[:obj:`SegDataSample`]): With what the head's
                losses need.

        Returns:
            dict[str, Tensor]: Losses by name.
        """
        if gives_class_maps(self.decode_head):
            return self.loss_and_class_maps(inputs, data_samples)[0]
        return super().loss(inputs, data_samples)

    def predict(self,
                inputs: Tensor,
                data_samples: list | None = None) -> list:
        """Predict masks and seeds.

        Args:
            inputs (Tensor): Images of shape (N, 3, H, W).
            data_samples (list[:obj:`SegDataSample`], optional): Their samples.

        Returns:
            list[:obj:`SegDataSample`]: Samples with mmseg's ``seg_logits`` and
            ``pred_sem_seg``, the :class:`Seed` at image size as ``full_seed``
            (of the image's labels; of all classes where it has none; with its
            background where the head predicts one) and the class
            probabilities (C - 1,) as ``pred_label_scores``. Those of a head
            without :class:`ClassMaps` have what mmseg gives them.
        """
        head = self.decode_head
        # A CAM head may have class maps in evaluation only.
        if not (gives_class_maps(head) or isinstance(head, CAMHead)):
            return super().predict(inputs, data_samples)
        if data_samples is None:
            metas = [dict(img_shape=inputs.shape[2:])] * len(inputs)
        else:
            metas = [sample.metainfo for sample in data_samples]
        class_maps = self.class_maps(inputs)
        scores = self.decode_head.predict_by_feat(class_maps, metas)
        results = self.postprocess_result(scores, data_samples)
        has_background = class_maps.seed_background is not None
        for result, logits in zip(results, class_maps.logits, strict=True):
            result.pred_label_scores = logits.sigmoid()
            result.full_seed = self._make_seed(result, has_background)
        return results

    def _make_seed(self, result, has_background: bool) -> Seed:
        background, scores = result.seg_logits.data.tensor_split((1, ))
        present = present_classes(result.metainfo, len(scores) + 1)
        labels = present.nonzero().flatten().to(scores.device) + 1
        scores = scores[labels - 1]
        if has_background:
            # Resizing to the image rounds.
            return Seed(
                scores.clamp(0, 1), labels, tuple(scores.shape[1:]),
                background[0].clamp(0, 1))
        # Resizing to the image lowered the maxima.
        return Seed(max_norm(scores), labels, tuple(scores.shape[1:]))

    @property
    def _trains_features(self) -> bool:
        return getattr(self.decode_head, 'trains_backbone', True)

    def _feature_modules(self) -> list[nn.Module]:
        return [self.backbone] + ([self.neck] if self.with_neck else [])

    def _freeze_features(self) -> None:
        for parameter in self._feature_parameters:
            parameter.requires_grad_(self._trains_features)

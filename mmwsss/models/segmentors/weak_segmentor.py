# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from collections.abc import Sequence

import torch
from mmseg.models import EncoderDecoder
from mmseg.registry import MODELS
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from mmwsss.structures import Seed


@MODELS.register_module()
class WeakSegmentor(EncoderDecoder):
    """An encoder-decoder trained from image labels.

    It adds to mmseg's segmentor what class activation maps need: freezing for
    any backbone, stages, raw class maps, and seeds as predictions.

    Args:
        norm_eval (bool): Whether every batch normalisation of the backbone
            normalises with its running statistics, in training too; its affine
            parameters still learn. Defaults to False: as the backbone says.
        frozen (Sequence[str]): Prefixes of the names of backbone parameters that
            never learn, such as ``'timm_model.conv_stem'``. Defaults to ().
        *args: Arguments of :class:`EncoderDecoder`.
        **kwargs: Arguments of :class:`EncoderDecoder`.

    Raises:
        ValueError: If a prefix of ``frozen`` names no parameter.
    """

    def __init__(self,
                 *args,
                 norm_eval: bool = False,
                 frozen: Sequence[str] = (),
                 **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.norm_eval = norm_eval
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
            for module in self.backbone.modules():
                if isinstance(module, _BatchNorm):
                    module.eval()
        return self

    def class_maps(self, inputs: Tensor) -> Tensor:
        """Raw class maps (N, C - 1, h, w) of images (N, 3, H, W)."""
        return self.decode_head.class_maps(self.extract_feat(inputs))

    def class_maps_and_logits(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Raw class maps (N, C - 1, h, w) and image-level logits (N, C - 1)."""
        class_maps = self.class_maps(inputs)
        return class_maps, self.decode_head.pool(class_maps)

    def predict_scores(self, class_maps: Tensor, logits: Tensor,
                       metas: list[dict]) -> Tensor:
        """Scores (N, C, H, W) of a prediction, background first.

        Args:
            class_maps (Tensor): Raw class maps of shape (N, C - 1, h, w).
            logits (Tensor): Image-level logits of shape (N, C - 1).
            metas (list[dict]): Meta information of the images.
        """
        return self.decode_head.predict_by_feat(class_maps, metas)

    def predict(self,
                inputs: Tensor,
                data_samples: list | None = None) -> list:
        """Predict masks and seeds.

        Args:
            inputs (Tensor): Images of shape (N, 3, H, W).
            data_samples (list[:obj:`SegDataSample`], optional): Their samples.

        Returns:
            list[:obj:`SegDataSample`]: Samples with mmseg's ``seg_logits`` and
            ``pred_sem_seg``, the :class:`Seed` at photo size as ``full_seed``
            (of the image's labels; of all classes where it has none; with its
            background where the head predicts one) and the class
            probabilities (C - 1,) as ``pred_label_scores``.
        """
        if data_samples is None:
            metas = [dict(img_shape=inputs.shape[2:])] * len(inputs)
        else:
            metas = [sample.metainfo for sample in data_samples]
        class_maps, logits = self.class_maps_and_logits(inputs)
        probabilities = logits.sigmoid()
        scores = self.predict_scores(class_maps, logits, metas)
        results = self.postprocess_result(scores, data_samples)
        for result, probability in zip(results, probabilities, strict=True):
            result.pred_label_scores = probability
            result.full_seed = self._make_seed(result)
        return results

    def _make_seed(self, result) -> Seed:
        scores = result.seg_logits.data[1:]
        labels = result.metainfo.get('image_labels')
        if labels is None:
            labels = torch.arange(1, len(scores) + 1)
        else:
            labels = torch.as_tensor(labels[1:]).nonzero().flatten() + 1
        labels = labels.to(scores.device)
        scores = scores[labels - 1]
        if getattr(self.decode_head, 'score_has_background', False):
            # Resizing to the photo rounds.
            background = result.seg_logits.data[0].clamp(0, 1)
            return Seed(
                scores.clamp(0, 1), labels, tuple(scores.shape[1:]), background)
        # Resizing to the photo lowered the maxima.
        peak = scores.flatten(1).amax(dim=1) if len(scores) else scores.new_ones(0)
        scores = scores / (peak[:, None, None] + 1e-5)
        return Seed(scores=scores, labels=labels, size=tuple(scores.shape[1:]))

    @property
    def _trains_features(self) -> bool:
        return getattr(self.decode_head, 'trains_backbone', True)

    def _feature_modules(self) -> list[nn.Module]:
        return [self.backbone] + ([self.neck] if self.with_neck else [])

    def _freeze_features(self) -> None:
        for parameter in self._feature_parameters:
            parameter.requires_grad_(self._trains_features)

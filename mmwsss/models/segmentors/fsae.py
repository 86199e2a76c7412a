# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.dist import all_reduce
from mmengine.logging import MessageHub
from mmseg.models import EncoderDecoder
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from mmwsss.structures import stack_image_labels


class FSAEMixin:
    """What :func:`FSAE` adds to a segmentor."""

    def __init__(self,
                 *args,
                 loss_fsae: dict = dict(type='FSAELoss'),
                 start_iter: int = 0,
                 stages: Sequence[str] | None = None,
                 **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if not hasattr(self.decode_head, self._score_method):
            raise ValueError(
                f'{type(self.decode_head).__name__} has neither score_maps nor '
                'class_maps, so FSAE has nothing to compare')
        self.loss_fsae = MODELS.build(loss_fsae)
        self.start_iter = start_iter
        self.stages = stages
        # In a tuple, and so no submodule.
        self._teacher: tuple[nn.Module | None] = (None, )

    def set_teacher(self, teacher: nn.Module | None) -> None:
        """Let another model label the weak view.

        Args:
            teacher (nn.Module, optional): A model as this one, whose weights
                average those of this one; None for this one itself.
        """
        self._teacher = (teacher, )

    def score_maps(self, inputs: Tensor) -> Tensor:
        """Class score maps of images (N, 3, H, W), with background where the
        head has one: (N, C, h, w), else (N, C - 1, h, w)."""
        return self._head_scores(self.extract_feat(inputs))

    def loss(self, inputs: Tensor, data_samples: list) -> dict[str, Tensor]:
        """The losses of the base model on the weak view, and the FSAE loss.

        Args:
            inputs (Tensor): The weak view of shape (N, 3, H, W).
            data_samples (list[:obj:`SegDataSample`]): With the strong view as
                ``strong_img`` and what the base model needs.

        Returns:
            dict[str, Tensor]: The base model's losses, ``loss_fsae``, and for
            the log ``fsae.covered`` (sure pixels / pixels of the photo),
            ``fsae.ring`` (those that the ring added), ``fsae.background``
            (those labelled background) and, where samples have masks,
            ``fsae.accuracy`` (correct / sure pixels); all in [0, 1].

        Raises:
            ValueError: If a sample has no strong view.
        """
        if not self._expands:
            return super().loss(inputs, data_samples)
        head = self.decode_head
        with _results_of(self, 'extract_feat') as feats, \
                _results_of(head, self._score_method) as scores:
            losses = super().loss(inputs, data_samples)
        teacher, = self._teacher
        with torch.no_grad():
            if teacher is not None:
                weak = teacher.score_maps(inputs)
            elif scores:
                weak = scores[0].detach()
            else:
                weak = self._head_scores(feats[0])

        labels = stack_image_labels(data_samples, device=weak.device)
        valid = _photo_pixels(data_samples, inputs.shape[2:], weak)
        pseudo_labels, sure, ring = self.loss_fsae.pseudo_labels(
            weak, labels, self._has_background, valid)
        losses.update(
            _log_values(pseudo_labels, sure, ring, valid, data_samples))
        any_sure = sure.any().float()
        all_reduce(any_sure, op='max')
        if any_sure:
            strong = self.score_maps(self._strong_view(data_samples))
            loss = self.loss_fsae(
                strong, pseudo_labels, sure, labels, self._has_background)
        else:
            loss = any_sure
        losses[self.loss_fsae.loss_name] = loss
        return losses

    @property
    def _expands(self) -> bool:
        """Whether the loss is on in this stage and iteration."""
        stage = getattr(self, 'stage', None)
        if self.stages is not None and stage not in self.stages:
            return False
        done = MessageHub.get_current_instance().get_info('iter', 0)
        return done >= self.start_iter

    @property
    def _score_method(self) -> str:
        has_scores = hasattr(self.decode_head, 'score_maps')
        return 'score_maps' if has_scores else 'class_maps'

    @property
    def _has_background(self) -> bool:
        return getattr(self.decode_head, 'score_has_background', False)

    def _head_scores(self, feats: tuple[Tensor, ...]) -> Tensor:
        return getattr(self.decode_head, self._score_method)(feats)

    def _strong_view(self, data_samples: list) -> Tensor:
        """Preprocess the strong view just as the weak one was."""
        for sample in data_samples:
            if 'strong_img' not in sample:
                raise ValueError(
                    f'photo {sample.metainfo.get("img_path")} comes without a '
                    'strong view; put StrongView before PackWeakInputs into '
                    'the training pipeline')
        data = dict(
            inputs=[sample.strong_img.data for sample in data_samples],
            data_samples=[SegDataSample() for _ in data_samples])
        return self.data_preprocessor(data, training=True)['inputs']


@MODELS.register_module()
def FSAE(base: str = 'WeakSegmentor', **kwargs) -> EncoderDecoder:
    """Build a segmentor that also learns by activation expansion.

    FSAE (WACV 2025) is a loss for any model of class score maps, see
    :class:`~mmwsss.models.losses.FSAELoss`: the base model's losses stay as they
    are and see the weak view only; the strong view, which :class:`StrongView`
    makes, passes the network once more and is to show what the weak one surely
    shows. Nothing is added to the network, its state dict or its inference.

    In a config ``type='FSAE'`` takes the place of the segmentor's own type, and
    all other keys stay. The base model's loss must get the score maps of the
    weak view by ``decode_head.score_maps(feats)`` (background first, if the
    head's ``score_has_background`` is True) or ``decode_head.class_maps(feats)``
    (no background); the first of these calls counts, and if there is none, the
    head runs once more on the features.

    With :class:`~mmwsss.engine.hooks.EMAPseudoLabelHook` a moving average of
    the model labels the weak view, at the cost of one more forward pass.

    Args:
        base (str): The segmentor that it extends, such as ``'EncoderDecoder'``.
            Defaults to 'WeakSegmentor'.
        loss_fsae (dict): Config of the loss. Defaults to
            ``dict(type='FSAELoss')``.
        start_iter (int): Iterations before the loss begins. Defaults to 0.
        stages (Sequence[str], optional): The stages of the model with this
            loss. Defaults to None, all.
        **kwargs: Arguments of the base segmentor.

    Returns:
        EncoderDecoder: An instance of a subclass of the base.

    Raises:
        ValueError: If ``base`` is unknown or the head gives no score maps.
    """
    base_class = MODELS.get(base)
    if base_class is None:
        raise ValueError(f'base={base!r} is no model')
    return _extended(base_class)(**kwargs)


@cache
def _extended(base_class: type) -> type:
    return type(f'FSAE{base_class.__name__}', (FSAEMixin, base_class), {})


@contextmanager
def _results_of(owner: nn.Module, name: str) -> Iterator[list[Any]]:
    """Collect what calls of a method return."""
    method, results = getattr(owner, name), []

    def recorder(*args, **kwargs):
        results.append(method(*args, **kwargs))
        return results[-1]

    setattr(owner, name, recorder)
    try:
        yield results
    finally:
        delattr(owner, name)


def _photo_pixels(data_samples: list, size: tuple[int, int],
                  maps: Tensor) -> Tensor:
    """Which pixels of the maps have their centre on the photo, not on padding:
    bool of shape (N, h, w)."""
    centres = [(torch.arange(cells) + 0.5) * length / cells
               for length, cells in zip(size, maps.shape[2:], strict=True)]
    masks = []
    for sample in data_samples:
        x1, y1, x2, y2 = sample.metainfo.get('valid_box',
                                             (0, 0, size[1], size[0]))
        rows = (centres[0] >= y1) & (centres[0] < y2)
        columns = (centres[1] >= x1) & (centres[1] < x2)
        masks.append(rows[:, None] & columns)
    return torch.stack(masks).to(maps.device)


def _log_values(pseudo_labels: Tensor, sure: Tensor, ring: Tensor, valid: Tensor,
                data_samples: list) -> dict[str, Tensor]:
    """Figure 6 of the paper: how much is labelled, and how much of it is right."""
    pixels = valid.sum().clamp(min=1)
    values = {
        'fsae.covered': sure.sum() / pixels,
        'fsae.ring': ring.sum() / pixels,
        'fsae.background': (sure & (pseudo_labels == 0)).sum() / pixels
    }
    if all('gt_sem_seg' in sample for sample in data_samples):
        truth = torch.stack([s.gt_sem_seg.data for s in data_samples])
        truth = F.interpolate(
            truth.float(), size=sure.shape[1:], mode='nearest-exact')[:, 0]
        scored = sure & (truth != 255)
        if scored.any():
            values['fsae.accuracy'] = (pseudo_labels == truth)[scored].float(
            ).mean()
    return values

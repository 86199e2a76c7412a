# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from collections.abc import Sequence
from functools import cache

import torch
from mmengine.dist import all_reduce
from mmengine.logging import MessageHub
from mmseg.models import EncoderDecoder
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor

from mmwsss.structures import LabelGrid, stack_tags

from .class_maps_mixin import ClassMapsMixin, TeacherMixin, gives_class_maps
from .weak_segmentor import WeakSegmentor


class FSAEMixin(TeacherMixin, ClassMapsMixin, EncoderDecoder):
    """What :func:`FSAE` adds to a segmentor."""

    def __init__(self,
                 *args,
                 loss_fsae: dict = dict(type='FSAELoss'),
                 start_iter: int = 0,
                 stages: Sequence[str] | None = None,
                 **kwargs) -> None:
        super().__init__(*args, **kwargs)
        # Predictions of WeakSegmentor are those of our heads.
        stock = not isinstance(self, WeakSegmentor)
        if not gives_class_maps(self.decode_head, default=stock):
            raise ValueError(
                f'{type(self.decode_head).__name__} has no class maps '
                '(gives_class_maps is not True), so FSAE has nothing to compare '
                "(a stock head needs base='EncoderDecoder')")
        self.loss_fsae = MODELS.build(loss_fsae)
        self.start_iter = start_iter
        self.stages = stages

    def loss(self, inputs: Tensor, data_samples: list) -> dict[str, Tensor]:
        """The losses of the base model on the weak view, and the FSAE loss.

        Args:
            inputs (Tensor): The weak view of shape (N, 3, H, W).
            data_samples (list[:obj:`SegDataSample`]): With the strong view as
                ``strong_img`` and what the base model needs.

        Returns:
            dict[str, Tensor]: The base model's losses, ``loss_fsae``, and for
            the log ``fsae.covered`` (sure pixels / pixels of the image),
            ``fsae.ring`` (those that the ring added), ``fsae.background``
            (those labelled background) and, where samples have masks,
            ``fsae.accuracy`` (correct / sure pixels); all in [0, 1].

        Raises:
            ValueError: If a sample has no strong view.
        """
        if not self._expands:
            return super().loss(inputs, data_samples)
        losses, class_maps = self.loss_and_class_maps(inputs, data_samples)
        class_maps = self.teacher_maps(inputs) or class_maps
        has_background = class_maps.background is not None
        weak = class_maps.scores.detach()

        labels = stack_tags(data_samples, device=weak.device)
        grid = LabelGrid(inputs.shape[2:], weak.shape[2:])
        valid = torch.stack([
            grid.inside(sample.metainfo.get('valid_box'))
            for sample in data_samples
        ]).to(weak.device)
        pseudo_labels, sure, ring = self.loss_fsae.pseudo_labels(
            weak, labels, has_background, valid)
        losses.update(
            _log_values(pseudo_labels, sure, ring, valid, data_samples, grid))
        any_sure = sure.any().float()
        all_reduce(any_sure, op='max')
        if any_sure:
            strong = self.class_maps(self._strong_view(data_samples)).scores
            loss = self.loss_fsae(
                strong, pseudo_labels, sure, labels, has_background, valid)
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

    def _strong_view(self, data_samples: list) -> Tensor:
        """Preprocess the strong view just as the weak one was."""
        for sample in data_samples:
            if 'strong_img' not in sample:
                raise ValueError(
                    f'image {sample.metainfo.get("img_path")} comes without a '
                    'strong view; put StrongView before PackWeakInputs into '
                    'the training pipeline')
        data = dict(
            inputs=[sample.strong_img.data for sample in data_samples],
            data_samples=[SegDataSample() for _ in data_samples])
        return self.data_preprocessor(data, training=True)['inputs']


@MODELS.register_module()
def FSAE(base: str = 'WeakSegmentor', **kwargs) -> EncoderDecoder:
    r"""Build a segmentor that also learns by activation expansion.

    FSAE (WACV 2025) is a loss for any model of class score maps, see
    :class:`~mmwsss.models.losses.FSAELoss`: the base model's losses stay as they
    are and see the weak view only; the strong view, which :class:`StrongView`
    makes, passes the network once more and is to show what the weak one surely
    shows. Nothing is added to the network, its state dict or its inference.

    FSAE, Eq. 4, with the base model's score maps, before any ReLU, of the weak view
    :math:`x_s` and the strong view :math:`x_t`:

    .. math::
        S_s = CAM(x_s), \quad S_t = CAM(x_t)

    In a config ``type='FSAE'`` takes the place of the segmentor's own type, and
    all other keys stay. It compares the trained maps of :class:`ClassMaps`, with
    their background where the head has one; a stock head of mmseg, with
    ``base='EncoderDecoder'``, gives its logits, background first.

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
    if base_class.loss not in (EncoderDecoder.loss, WeakSegmentor.loss):
        raise ValueError(f'base={base!r} has a loss of its own, which FSAE would '
                         'leave out; override loss_and_class_maps instead')
    return _extended(base_class)(**kwargs)


@cache
def _extended(base_class: type) -> type:
    return type(f'FSAE{base_class.__name__}', (FSAEMixin, base_class), {})


def _log_values(pseudo_labels: Tensor, sure: Tensor, ring: Tensor, valid: Tensor,
                data_samples: list, grid: LabelGrid) -> dict[str, Tensor]:
    """Figure 6 of the paper: how much is labelled, and how much of it is right."""
    pixels = valid.sum().clamp(min=1)
    values = {
        'fsae.covered': sure.sum() / pixels,
        'fsae.ring': ring.sum() / pixels,
        'fsae.background': (sure & (pseudo_labels == 0)).sum() / pixels
    }
    if all('gt_sem_seg' in sample for sample in data_samples):
        truth = torch.stack([
            grid.sample(sample.gt_sem_seg.data[0]) for sample in data_samples
        ])
        scored = sure & (truth != 255)
        if scored.any():
            values['fsae.accuracy'] = (pseudo_labels == truth)[scored].float(
            ).mean()
    return values

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from collections.abc import Sequence

import torch
from mmseg.registry import MODELS
from torch import Tensor

from mmwsss.models.heads import CAMHead
from mmwsss.ops import class_aware_affinity
from mmwsss.structures import ClassMaps, present_classes

from .clip_parts import DEFAULT_ARCH, read_arch
from .text_grad_cam import TextGradCAM, stretch


@MODELS.register_module()
class CLIPESHead(CAMHead):
    """Class maps of CLIP's words, refined by CLIP's attention; nothing is trained.

    :class:`TextGradCAM` makes a map of each class of an image, and
    :func:`mmwsss.ops.class_aware_affinity` spreads it. `CLIP is Also an Efficient
    Segmenter: A Text-Driven Approach for Weakly Supervised Semantic Segmentation
    <https://arxiv.org/abs/2212.09506>`_ (CLIP-ES, CVPR 2023).

    The classes of an image take part in its softmax, others do not: maps depend on
    which classes an image shows. Who knows them asks :meth:`answer`; :meth:`forward`
    makes maps of all, which takes a backward pass each.

    ``convert.py`` writes a checkpoint with the features of all words.

    Args:
        num_classes (int): All classes, background included.
        arch (str | dict): The CLIP, that of the backbone. Defaults to
            ``'ViT-B-16-quickgelu'``.
        num_background (int): For how many words for background there is room.
            Defaults to 25.
        threshold (float): See :func:`mmwsss.ops.class_aware_affinity`. The authors
            take 0.4 on VOC and 0.7 on COCO. Defaults to 0.4.
        full_boxes (bool): See there; where False, maps of a single row or column
            come to nothing. Defaults to False, as published.
        refine (bool): Whether attention refines the maps. Defaults to True.
        bg_thr (float): The background of predictions. A background of ``1 - max``,
            which the authors' CRF begins with, is the same as 0.5; one of ``(1 -
            max) ** 2``, the same as 0.382. Defaults to 0.5.
        score_thr (float): Without image labels, a prediction shows the classes whose
            probability, among all classes and background words, exceeds this.
            Defaults to 0.1.
        **kwargs: Further arguments of :class:`CAMHead`.
    """

    def __init__(self,
                 num_classes: int,
                 arch: str | dict = DEFAULT_ARCH,
                 num_background: int = 25,
                 threshold: float = 0.4,
                 full_boxes: bool = False,
                 refine: bool = True,
                 bg_thr: float = 0.5,
                 score_thr: float = 0.1,
                 **kwargs) -> None:
        settings = read_arch(arch)
        super().__init__(
            settings['vision_cfg']['width'], num_classes, bg_thr=bg_thr,
            score_thr=score_thr, **kwargs)
        del self.classifier
        self.threshold = threshold
        self.full_boxes = full_boxes
        self.refine = refine
        self.grad_cam = TextGradCAM(arch)
        size = settings['embed_dim']
        self.register_buffer('class_words', torch.zeros(num_classes - 1, size))
        self.register_buffer('background_words', torch.zeros(num_background, size))

    def forward(self, inputs: tuple[Tensor, ...]) -> ClassMaps:
        """Maps of all classes; see :meth:`answer`."""
        present = inputs[0].new_ones(
            (len(inputs[0]), self.num_classes - 1), dtype=torch.bool)
        return self.answer(inputs, present)

    def answer(self,
               inputs: tuple[Tensor, ...],
               present: Tensor,
               classes: Tensor | None = None,
               background: Tensor | None = None) -> ClassMaps:
        """Maps of the classes that each image shows.

        Args:
            inputs (tuple[Tensor]): What :class:`CLIPBackbone` gives.
            present (Tensor): Those classes, bool of shape (N, C - 1).
            classes (Tensor, optional): Text features of length 1, of shape
                (C - 1, E). Defaults to those of the checkpoint.
            background (Tensor, optional): Of words for background, of shape (M, E).
                Defaults likewise.

        Returns:
            ClassMaps: Maps in [0, 1], those of other classes 0; the sigmoid of its
            logits is the probability of each class among all, background words
            included.
        """
        *_, patches, token, attention = inputs
        seen = self.grad_cam(
            patches, token,
            self.class_words if classes is None else classes,
            self.background_words if background is None else background, present)
        maps = seen.cams
        if self.refine:
            maps = torch.stack([
                self._refined(*one)
                for one in zip(maps, attention, seen.attention, strict=True)
            ])
        return ClassMaps(maps, torch.logit(seen.probabilities))

    def shown_in(self, inputs: tuple[Tensor, ...], metas: list[dict]) -> Tensor:
        """The classes of images, bool of shape (N, C - 1), by their labels; of images
        without labels, by their probabilities.

        Args:
            inputs (tuple[Tensor]): What :class:`CLIPBackbone` gives.
            metas (list[dict]): Meta information of the images.
        """
        probabilities: Sequence[Tensor | None] = [None] * len(metas)
        if any(meta.get('tags') is None for meta in metas):
            *_, patches, token, _ = inputs
            nothing = patches.new_zeros(
                (len(patches), self.num_classes - 1), dtype=torch.bool)
            probabilities = self.grad_cam(
                patches, token, self.class_words, self.background_words,
                nothing).probabilities
        return torch.stack([
            present_classes(meta, self.num_classes, one, self.score_thr)
            for meta, one in zip(metas, probabilities, strict=True)
        ]).to(inputs[0].device)

    def loss_by_feat(self, class_maps: ClassMaps,
                     batch_data_samples: list) -> dict[str, Tensor]:
        """There is none.

        Raises:
            ValueError: Always.
        """
        raise ValueError('CLIP-ES trains nothing: convert.py makes its checkpoint, '
                         'tools/generate_seeds.py its seeds')

    def _refined(self, cams: Tensor, attention: Tensor, last: Tensor) -> Tensor:
        """Maps (C - 1, h, w) of an image by the attention of the last blocks."""
        total = attention.sum(dim=0) + last.to(attention)
        mean = total[1:, 1:] / (len(attention) + 1)
        refined = torch.zeros_like(cams)
        shown = cams.flatten(1).any(dim=1)
        # As the gradients: half precision is for the blocks before.
        with torch.autocast(cams.device.type, enabled=False):
            refined[shown] = stretch(class_aware_affinity(
                mean, cams[shown], self.threshold,
                full_boxes=self.full_boxes)).to(cams)
        return refined

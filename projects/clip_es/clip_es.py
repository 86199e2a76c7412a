# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from torch import Tensor

from mmwsss.models.segmentors import WeakSegmentor
from mmwsss.structures import ClassMaps, Seed, resize_maps, strided_size


@MODELS.register_module()
class CLIPES(WeakSegmentor):
    """CLIP as a localizer: images and tags in, seeds out, without training.

    See :class:`CLIPESHead`. A class map depends on which other classes an image
    shows, so images are asked together with their labels, by :meth:`locate`.

    Args:
        *args: Arguments of :class:`WeakSegmentor`.
        **kwargs: Arguments of :class:`WeakSegmentor`.
    """

    def locate(self, inputs: Tensor, metas: list[dict]) -> tuple[ClassMaps, Tensor]:
        """Maps of the classes that images show.

        Args:
            inputs (Tensor): Images of shape (N, 3, H, W), normalised.
            metas (list[dict]): Their meta information. Where one has no
                ``tags``, its probabilities tell what it shows.

        Returns:
            tuple[ClassMaps, Tensor]: The maps, and the classes shown, bool of shape
            (N, C - 1).
        """
        feats = self.extract_feat(inputs)
        shown = self.decode_head.shown_in(feats, metas)
        return self.decode_head.answer(feats, shown), shown

    def predict(self, inputs: Tensor, data_samples: list | None = None) -> list:
        """Predict masks and seeds; as of :class:`WeakSegmentor`."""
        if data_samples is None:
            data_samples = self.postprocess_result(
                inputs.new_zeros((len(inputs), 1, *inputs.shape[2:])))
        metas = [
            dict(dict(ori_shape=inputs.shape[2:]), **sample.metainfo)
            for sample in data_samples
        ]
        class_maps, shown = self.locate(inputs, metas)
        for i, sample in enumerate(data_samples):
            self.fill(sample, class_maps.maps[i], class_maps.logits[i].sigmoid(),
                      shown[i], metas[i]['ori_shape'][:2])
        return data_samples

    def fill(self, sample, maps: Tensor, probabilities: Tensor, shown: Tensor,
             size: tuple[int, int]) -> None:
        """Put a prediction into a sample.

        Args:
            sample (:obj:`SegDataSample`): Where to: mmseg's ``seg_logits`` and
                ``pred_sem_seg``, ``seed`` (:class:`Seed` at stride 4), ``full_seed``
                (at image size), ``pred_label_scores``.
            maps (Tensor): In [0, 1], of shape (C - 1, h, w).
            probabilities (Tensor): Of shape (C - 1,).
            shown (Tensor): The classes to show, bool of shape (C - 1,).
            size (tuple[int, int]): (H, W) of the image.
        """
        size = tuple(size)
        labels = shown.nonzero().flatten() + 1

        def seed_at(where: tuple[int, int]) -> Seed:
            # Weights of interpolation add up to 1 but for rounding.
            resized = resize_maps(maps[shown], where).clamp(0, 1)
            return Seed(resized, labels, size)

        full = seed_at(size)
        bg_thr = self.decode_head.bg_thr
        scores = maps.new_zeros((len(maps) + 1, *size))
        scores[0], scores[labels] = bg_thr, full.scores
        sample.set_data(
            dict(
                seg_logits=PixelData(data=scores),
                pred_sem_seg=PixelData(data=full.to_mask(bg_thr)[None].long()),
                seed=seed_at(strided_size(size)),
                full_seed=full,
                pred_label_scores=probabilities))

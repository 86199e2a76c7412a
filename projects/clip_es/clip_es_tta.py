# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from collections.abc import Sequence
from typing import Any

import torch
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor

from mmwsss.models.tta.image_tta import ImageTTAModel
from mmwsss.structures import resize_maps


@MODELS.register_module()
class CLIPESTTAModel(ImageTTAModel):
    """Seeds of CLIP-ES; images of one size pass the model in one batch.

    The authors look once, at scale 1 and without a flip. Of several views, the maps
    at the size of the first unflipped one are averaged.

    Args:
        module (dict | nn.Module): A :class:`CLIPES`.
        data_preprocessor (dict, optional): Replaces the model's own.
    """

    @torch.no_grad()
    def test_step(self, data: dict) -> list:
        """Predict a batch, see :class:`ImageTTAModel`."""
        views = [
            (number, *view)
            for inputs, samples in zip(
                data['inputs'], data['data_samples'], strict=True)
            for number, view in enumerate(zip(inputs, samples, strict=True))
        ]
        groups: dict[tuple[int, ...], list[tuple]] = {}
        for view in views:
            groups.setdefault(tuple(view[1].shape), []).append(view)
        found: dict[int, list[tuple]] = {number: [] for number, *_ in views}
        for group in groups.values():
            numbers, inputs, samples = zip(*group, strict=True)
            batch = self.module.data_preprocessor(
                dict(inputs=list(inputs), data_samples=list(samples)), False)
            class_maps, shown = self.module.locate(
                batch['inputs'], [sample.metainfo for sample in batch['data_samples']])
            for row in zip(numbers, batch['data_samples'], class_maps.maps,
                           class_maps.logits.sigmoid(), shown, strict=True):
                found[row[0]].append(row[1:])
        return [self._merge(seen) for seen in found.values()]

    def predict_image(self, inputs: Sequence[Tensor],
                      samples: Sequence[SegDataSample]) -> SegDataSample:
        """Predict one image; see :meth:`CLIPES.fill` for what it gives."""
        return self.test_step(dict(
            inputs=[[one] for one in inputs],
            data_samples=[[one] for one in samples]))[0]

    def _merge(self, seen: list[tuple]) -> SegDataSample:
        """One prediction of the views of an image."""
        flips = [bool(sample.metainfo.get('flip', False)) for sample, *_ in seen]
        if all(flips):
            raise ValueError(
                f'{seen[0][0].metainfo.get("img_path")}: every augmentation is '
                'flipped; TestTimeAug must keep an unflipped one')
        first = flips.index(False)
        result: Any = seen[first][0].clone()
        size = seen[first][1].shape[1:]
        maps = torch.stack([
            resize_maps(one.flip(-1) if flip else one, size)
            for (_, one, *_), flip in zip(seen, flips, strict=True)
        ]).mean(dim=0)
        probabilities = torch.stack([one[2] for one in seen]).mean(dim=0)
        self.module.fill(result, maps, probabilities, seen[first][3],
                         result.metainfo['ori_shape'][:2])
        return result

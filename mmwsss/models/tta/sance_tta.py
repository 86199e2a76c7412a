# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import torch
import torch.nn.functional as F
from mmengine.model import BaseTTAModel
from mmseg.registry import MODELS
from torch import Tensor

from mmwsss.structures.seed import strided_size

from .cam_tta import _group_by_size, _is_flipped


@MODELS.register_module()
class SANCETTAModel(BaseTTAModel):
    """Pseudo labels of :class:`SANCE` from several scales and flips.

    Class probabilities and boundaries of all views are turned back, brought to
    a quarter of the photo (bilinear, align_corners False) and averaged; the
    mean probabilities then walk inside the mean boundaries, once. (IRN averages
    the boundaries' logits of one scale and its flip; the paper averages maps
    and states neither scales nor flips.)

    Test pipelines make the scales and flips with mmcv's ``TestTimeAug``; one
    of each pair must not be flipped, it also gives the ground truth. Any test
    batch size works, photo by photo.

    Args:
        module (dict | nn.Module): The :class:`SANCE` model.
        average_logits (bool): Whether to average the boundaries' logits
            instead. Defaults to False.
        data_preprocessor (dict, optional): Replaces the model's own.
    """

    def __init__(self,
                 module,
                 average_logits: bool = False,
                 data_preprocessor: dict | None = None) -> None:
        super().__init__(module, data_preprocessor)
        self.average_logits = average_logits

    def test_step(self, data: dict) -> list:
        """Predict a batch.

        Args:
            data (dict): ``inputs`` and ``data_samples``, each a list over the
                augmentations of lists over the photos.

        Returns:
            list[:obj:`SegDataSample`]: For each photo its unflipped sample
            with what :meth:`SANCE.predict` gives.
        """
        photos = zip(
            zip(*data['inputs'], strict=True),
            zip(*data['data_samples'], strict=True),
            strict=True)
        return [self._predict_photo(inputs, samples)
                for inputs, samples in photos]

    def merge_preds(self, data_samples_list: list) -> list:
        """Not used: maps are merged, not predictions."""
        raise NotImplementedError('SANCETTAModel merges maps, call test_step')

    @torch.no_grad()
    def _predict_photo(self, inputs: tuple[Tensor, ...],
                       samples: tuple) -> 'SegDataSample':  # noqa: F821
        result, views = None, []
        size = tuple(samples[0].metainfo['ori_shape'][:2])
        for group in _group_by_size(inputs):
            flips = [_is_flipped(samples[i]) for i in group]
            batch = self.module.data_preprocessor(
                dict(inputs=[inputs[i] for i in group],
                     data_samples=[samples[i] for i in group]), False)
            logits, contour = self.module.maps(batch['inputs'])
            if not self.average_logits:
                contour = contour.sigmoid()
            maps = torch.cat([logits.softmax(dim=1), contour], dim=1)
            maps = F.interpolate(
                maps, strided_size(size), mode='bilinear', align_corners=False)
            views += [
                one.flip(-1) if flip else one
                for one, flip in zip(maps, flips, strict=True)
            ]
            if result is None and not all(flips):
                result = batch['data_samples'][flips.index(False)].clone()
        if result is None:
            raise ValueError(
                f'{samples[0].metainfo.get("img_path")}: every augmentation '
                'is flipped; TestTimeAug must keep an unflipped one')
        mean = torch.stack(views).mean(dim=0)
        boundary = mean[-1:]
        if self.average_logits:
            boundary = boundary.sigmoid()
        self.module.fill(result, mean[:-1], boundary)
        return result

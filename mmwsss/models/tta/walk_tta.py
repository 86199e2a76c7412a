# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from math import ceil

import torch
import torch.nn.functional as F
from mmengine.model import BaseTTAModel
from mmseg.registry import MODELS
from torch import Tensor

from mmwsss.structures.seed import strided_size

from .cam_tta import _group_by_size, _is_flipped


@MODELS.register_module()
class WalkTTAModel(BaseTTAModel):
    """Guides of random walks from a photo and its mirror image.

    All views of one size pass the network in one batch, padded at the right
    and the bottom with zeros, behind normalisation, as in `IRN
    <https://arxiv.org/abs/1904.05044>`_ and PSA; then the map is cut to the
    photo, turned back, and the head merges the views.

    IRN pads to 512 pixels, and cuts larger photos off there. Here a photo that
    is larger is padded to the next multiple of ``pad_divisor``, whole.

    Args:
        module (dict | nn.Module): A segmentor whose head offers ``guide`` and
            ``merge_guides``.
        pad_size (int): Least side of a padded view, in pixels. The statistics
            of group normalisation run over the padding, too: it should be the
            crop of training. Defaults to 512.
        pad_divisor (int): Sides are padded to a multiple of this. Defaults to
            16.
        displacement (bool): Whether the auxiliary head's displacement field is
            asked for, too: for instances. Defaults to False.
        data_preprocessor (dict, optional): Replaces the model's own.
    """

    def __init__(self,
                 module,
                 pad_size: int = 512,
                 pad_divisor: int = 16,
                 displacement: bool = False,
                 data_preprocessor: dict | None = None) -> None:
        super().__init__(module, data_preprocessor)
        self.pad_size = pad_size
        self.pad_divisor = pad_divisor
        self.displacement = displacement

    def test_step(self, data: dict) -> list:
        """Make the guides of a batch.

        Args:
            data (dict): ``inputs`` and ``data_samples``, each a list over the
                augmentations of lists over the photos.

        Returns:
            list[:obj:`SegDataSample`]: For each photo its unflipped sample with
            ``guide`` of shape (1, G, h, w) and, if asked for, ``displacement``
            of shape (2, h, w), at the head's stride.
        """
        photos = zip(
            zip(*data['inputs'], strict=True),
            zip(*data['data_samples'], strict=True),
            strict=True)
        return [self._predict_photo(inputs, samples)
                for inputs, samples in photos]

    def merge_preds(self, data_samples_list: list) -> list:
        """Not used: guides are merged, not predictions."""
        raise NotImplementedError('WalkTTAModel merges guides, call test_step')

    @torch.no_grad()
    def _predict_photo(self, inputs: tuple[Tensor, ...],
                       samples: tuple) -> 'SegDataSample':  # noqa: F821
        result, field, guides = None, None, []
        name = samples[0].metainfo.get('img_path')
        photo_size = tuple(samples[0].metainfo['ori_shape'][:2])
        for group in _group_by_size(inputs):
            flips = [_is_flipped(samples[i]) for i in group]
            batch = self.module.data_preprocessor(
                dict(inputs=[inputs[i] for i in group],
                     data_samples=[samples[i] for i in group]), False)
            size = tuple(inputs[group[0]].shape[1:])
            feats = self.module.extract_feat(self._pad(batch['inputs'], size))
            maps = self.module.decode_head.guide(feats).float()
            stride = round(self._padded(size)[0] / maps.shape[2])
            views = self._cut(maps, size)
            if not views.isfinite().all():
                raise ValueError(f'{name}: the guide holds NaN or infinity')
            views = _resize(views, strided_size(photo_size, stride))
            guides += [
                view[None].flip(-1) if flip else view[None]
                for view, flip in zip(views, flips, strict=True)
            ]
            # The photo itself, not one of its other scales.
            if not all(flips) and (result is None or size == photo_size):
                first = flips.index(False)
                result = batch['data_samples'][first].clone()
                if self.displacement:
                    field = self._cut(
                        self.module.auxiliary_head(feats).float(), size)[first]
        if result is None:
            raise ValueError(f'{name}: every augmentation is flipped; '
                             'TestTimeAug must keep an unflipped one')
        result.set_data(
            dict(guide=self.module.decode_head.merge_guides(guides)))
        if self.displacement:
            result.set_data(dict(displacement=field))
        return result

    def _padded(self, size: tuple[int, int]) -> tuple[int, int]:
        height, width = (
            max(ceil(side / self.pad_divisor) * self.pad_divisor, self.pad_size)
            for side in size)
        return height, width

    def _pad(self, images: Tensor, size: tuple[int, int]) -> Tensor:
        if tuple(images.shape[2:]) != size:
            raise ValueError('the data_preprocessor must not pad photos for '
                             f'walks: {size} became {tuple(images.shape[2:])}')
        height, width = self._padded(size)
        return F.pad(images, (0, width - size[1], 0, height - size[0]))

    def _cut(self, maps: Tensor, size: tuple[int, int]) -> Tensor:
        """What of padded maps the photo fills."""
        stride = round(self._padded(size)[0] / maps.shape[2])
        height, width = strided_size(size, stride)
        return maps[..., :height, :width]


def _resize(maps: Tensor, size: tuple[int, int]) -> Tensor:
    if tuple(maps.shape[2:]) == size:
        return maps
    return F.interpolate(maps, size=size, mode='bilinear', align_corners=False)

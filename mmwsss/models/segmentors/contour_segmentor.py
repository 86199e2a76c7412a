# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from collections.abc import Iterator

from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor

from mmwsss.structures import strided_size, to_image_size

from .weak_segmentor import WeakSegmentor


@MODELS.register_module()
class ContourSegmentor(WeakSegmentor):
    """Class boundaries alone, as IRN's first branch.

    It predicts no classes: ``tools/walk_seeds.py`` spreads the scores of seeds
    inside them, and :class:`BoundaryMetric` scores them.
    Weights are those of a :class:`WeakSegmentor` of the same parts.

    Args:
        *args: Arguments of :class:`WeakSegmentor`. ``decode_head`` is a head
            that predicts boundary logits (N, 1, h, w) at stride 4, such as
            :class:`ContourHead`.
        **kwargs: Arguments of :class:`WeakSegmentor`.
    """

    def predict(self,
                inputs: Tensor,
                data_samples: list | None = None) -> list:
        """Predict boundaries.

        Args:
            inputs (Tensor): Images of shape (N, 3, H, W).
            data_samples (list[:obj:`SegDataSample`], optional): Their samples.

        Returns:
            list[:obj:`SegDataSample`]: Samples with ``pred_boundary`` (1, H, W)
            in [0, 1] at image size.
        """
        logits = self.decode_head(self.extract_feat(inputs))
        results = []
        for sample, boundary in by_image(logits.float().sigmoid(), inputs,
                                         data_samples):
            set_boundary(sample, boundary)
            results.append(sample)
        return results


def by_image(maps: Tensor, inputs: Tensor,
             data_samples: list | None) -> Iterator[tuple]:
    """Cut the maps of a batch to the images, without the batch's padding.

    Args:
        maps (Tensor): Maps at stride 4 of shape (N, K, h, w).
        inputs (Tensor): The images of shape (N, 3, H, W).
        data_samples (list[:obj:`SegDataSample`], optional): Their samples; new
            ones where there are none.

    Yields:
        tuple[:obj:`SegDataSample`, Tensor]: The sample of each image and its
        maps of shape (K, h', w').
    """
    size = tuple(inputs.shape[2:])
    if data_samples is None:
        data_samples = [
            SegDataSample(metainfo=dict(ori_shape=size)) for _ in inputs
        ]
    for sample, one in zip(data_samples, maps, strict=True):
        # Images of a batch are padded at the right and the bottom.
        rows, cols = strided_size(sample.metainfo.get('img_shape', size)[:2])
        yield sample, one[:, :rows, :cols]


def set_boundary(sample, boundary: Tensor) -> None:
    """Put boundary probabilities (1, h, w) at image size into a sample."""
    size = tuple(sample.metainfo['ori_shape'][:2])
    sample.set_data(
        dict(pred_boundary=PixelData(data=to_image_size(boundary, size).clamp(0, 1))))

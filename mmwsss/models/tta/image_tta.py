# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mmengine.model import BaseTTAModel
from mmseg.structures import SegDataSample
from torch import Tensor


@dataclass
class Views:
    """The views of an image that are of one size.

    Args:
        inputs (Tensor): Preprocessed, of shape (V, 3, h, w).
        samples (list[:obj:`SegDataSample`]): Their samples.
        flips (list[bool]): Which of them are flipped.
        size (tuple[int, int]): (height, width) before preprocessing.
    """

    inputs: Tensor
    samples: list[SegDataSample]
    flips: list[bool]
    size: tuple[int, int]

    def check_unpadded(self) -> None:
        """Raise a ValueError naming the image if preprocessing padded it."""
        padded = tuple(self.inputs.shape[2:])
        if padded != self.size:
            raise ValueError(f'{self.samples[0].metainfo.get("img_path")}: the '
                             'data_preprocessor must not pad images, but '
                             f'{self.size} became {padded}')

    def check_finite(self, maps: Tensor) -> None:
        """Raise a ValueError naming the image unless its maps are finite."""
        if not maps.isfinite().all():
            raise ValueError(f'{self.samples[0].metainfo.get("img_path")}: the '
                             'maps hold NaN or infinity')

    def unflip(self, maps: Tensor) -> list[Tensor]:
        """Maps (C, h, w) of each view from (V, C, h, w), flipped back."""
        return [
            one.flip(-1) if flip else one
            for one, flip in zip(maps, self.flips, strict=True)
        ]

    @property
    def first_unflipped(self) -> int | None:
        """int | None: The position of the first view that is not flipped."""
        return None if all(self.flips) else self.flips.index(False)

    def unflipped(self) -> SegDataSample | None:
        """A copy of the first sample that is not flipped, if there is one."""
        first = self.first_unflipped
        return None if first is None else self.samples[first].clone()


class ImageTTAModel(BaseTTAModel):
    """Merges what a model makes of several scales and flips, image by image.

    mmengine merges predictions; here subclasses merge raw maps, in
    :meth:`predict_image`.

    Test pipelines make the scales and flips with mmcv's ``TestTimeAug``; one
    of each pair must not be flipped, it also gives the ground truth. Any test
    batch size works.

    Args:
        module (dict | nn.Module): The model.
        data_preprocessor (dict, optional): Replaces the model's own.
    """

    def test_step(self, data: dict) -> list:
        """Predict a batch.

        Args:
            data (dict): ``inputs`` and ``data_samples``, each a list over the
                augmentations of lists over the images.

        Returns:
            list[:obj:`SegDataSample`]: What :meth:`predict_image` gives for
            each image.
        """
        images = zip(
            zip(*data['inputs'], strict=True),
            zip(*data['data_samples'], strict=True),
            strict=True)
        return [self.predict_image(inputs, samples)
                for inputs, samples in images]

    def merge_preds(self, data_samples_list: list) -> list:
        """Not used: maps are merged, not predictions."""
        raise NotImplementedError(
            f'{type(self).__name__} merges maps, call test_step')

    @abstractmethod
    def predict_image(self, inputs: Sequence[Tensor],
                      samples: Sequence[SegDataSample]) -> SegDataSample:
        """Predict one image.

        Args:
            inputs (Sequence[Tensor]): Its views, each of shape (3, h, w).
            samples (Sequence[:obj:`SegDataSample`]): Their samples.

        Returns:
            :obj:`SegDataSample`: An unflipped sample with the prediction.
        """

    def views(self, inputs: Sequence[Tensor],
              samples: Sequence[SegDataSample]) -> Iterator[Views]:
        """Views of one size after the other, in order of appearance.

        Raises:
            ValueError: If all views are flipped, or one not horizontally.
        """
        flips = [_is_flipped(sample) for sample in samples]
        if all(flips):
            raise ValueError(
                f'{samples[0].metainfo.get("img_path")}: every augmentation '
                'is flipped; TestTimeAug must keep an unflipped one')
        groups: dict[tuple[int, ...], list[int]] = {}
        for i, image in enumerate(inputs):
            groups.setdefault(tuple(image.shape), []).append(i)
        for (_, height, width), group in groups.items():
            batch = self.module.data_preprocessor(
                dict(inputs=[inputs[i] for i in group],
                     data_samples=[samples[i] for i in group]), False)
            yield Views(batch['inputs'], batch['data_samples'],
                        [flips[i] for i in group], (height, width))


def _is_flipped(sample: SegDataSample) -> bool:
    meta = sample.metainfo
    if not meta.get('flip', False):
        return False
    if meta.get('flip_direction', 'horizontal') != 'horizontal':
        raise ValueError(f'{meta.get("img_path")}: seeds are merged from '
                         'horizontal flips only, got '
                         f'{meta["flip_direction"]}')
    return True

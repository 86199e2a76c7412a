# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from math import ceil

from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS
from PIL import Image

from mmwsss.datasets.transforms.geometry import pil_resize


@TRANSFORMS.register_module()
class ResizeToPatches(BaseTransform):
    """Resize an image so that it is cut into whole patches.

    Each side grows to the next multiple, whatever becomes of the aspect. The
    resampling is Pillow's bicubic one on 8 bits, as in CLIP-ES.

    Required Keys:

    - img

    Modified Keys:

    - img, img_shape

    Args:
        patch_size (int): Side of a patch in pixels. Defaults to 16.
        max_long (int, optional): Images with a longer side are first reduced to it,
            with their aspect: time and memory grow with the square of the number of
            patches. Defaults to None: never.
    """

    def __init__(self, patch_size: int = 16, max_long: int | None = None) -> None:
        if patch_size < 1 or max_long is not None and max_long < patch_size:
            raise ValueError('expected 1 <= patch_size <= max_long, got '
                             f'{patch_size} and {max_long}')
        self.patch_size = patch_size
        self.max_long = max_long

    def transform(self, results: dict) -> dict:
        """Resize ``img``."""
        size = patches_size(
            results['img'].shape[:2], self.patch_size, self.max_long)
        results['img'] = pil_resize(results['img'], size, Image.Resampling.BICUBIC)
        results['img_shape'] = size
        return results

    def __repr__(self) -> str:
        return (f'{self.__class__.__name__}(patch_size={self.patch_size}, '
                f'max_long={self.max_long})')


def patches_size(size: tuple[int, int],
                 patch_size: int,
                 max_long: int | None = None) -> tuple[int, int]:
    """The (height, width) that :class:`ResizeToPatches` makes of an image's."""
    factor = 1.
    if max_long is not None:
        factor = min(1., max_long / max(size))
    height, width = (
        max(ceil(round(side * factor) / patch_size), 1) * patch_size for side in size)
    return height, width

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import numpy as np
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS
from PIL import Image

from mmwsss.datasets.transforms.geometry import pil_resize


@TRANSFORMS.register_module()
class PILRandomScale(BaseTransform):
    """Scale an image by a random factor, as AFA and WeCLIP do.

    Sides are cut to whole pixels; the resampling is Pillow's bilinear one on 8 bits.

    Required Keys:

    - img

    Modified Keys:

    - img, img_shape

    Args:
        min_scale (float): The least factor. Defaults to 0.5.
        max_scale (float): The greatest. Defaults to 2.0.
    """

    def __init__(self, min_scale: float = 0.5, max_scale: float = 2.0) -> None:
        if not 0 < min_scale <= max_scale:
            raise ValueError('expected 0 < min_scale <= max_scale, got '
                             f'{min_scale} and {max_scale}')
        self.min_scale = min_scale
        self.max_scale = max_scale

    def transform(self, results: dict) -> dict:
        """Scale ``img``."""
        scale = np.random.uniform(self.min_scale, self.max_scale)
        height, width = (
            max(int(side * scale), 1) for side in results['img'].shape[:2])
        results['img'] = pil_resize(
            results['img'], (height, width), Image.Resampling.BILINEAR)
        results['img_shape'] = (height, width)
        return results

    def __repr__(self) -> str:
        return (f'{self.__class__.__name__}(min_scale={self.min_scale}, '
                f'max_scale={self.max_scale})')

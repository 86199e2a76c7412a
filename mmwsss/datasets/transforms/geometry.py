# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Resizing and cropping as IRN does it (CVPR 2019), which CAM papers share."""

import numpy as np
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS
from PIL import Image


def pil_resize(image: np.ndarray, size: tuple[int, int],
               resample: Image.Resampling) -> np.ndarray:
    """Resize a uint8 array with Pillow.

    Args:
        image (np.ndarray): uint8 of shape (H, W) or (H, W, 3).
        size (tuple[int]): New (height, width).
        resample (Image.Resampling): Pillow's filter.

    Returns:
        np.ndarray: uint8 of the new size.
    """
    if image.shape[:2] == tuple(size):
        return image
    height, width = size
    return np.array(
        Image.fromarray(image).resize((width, height), resample))


# Fields that follow the image like a mask but hold scores, not class ids: they
# are interpolated, and 0 where there is no image.
SCORE_FIELDS = ('gt_saliency', )


def scaled_size(size: tuple[int, int], scale: float) -> tuple[int, int]:
    """Scale (height, width), rounding halves to even but never to nothing."""
    height, width = (max(int(np.round(side * scale)), 1) for side in size)
    return height, width


def _resize_image(results: dict, size: tuple[int, int]) -> None:
    height, width = results['img'].shape[:2]
    results['img'] = pil_resize(results['img'], size,
                                Image.Resampling.BICUBIC)
    results['img_shape'] = size
    results['scale_factor'] = (size[1] / width, size[0] / height)
    results['keep_ratio'] = True


def _resize_with_maps(results: dict, size: tuple[int, int]) -> None:
    _resize_image(results, size)
    for key in results.get('seg_fields', []):
        resample = (
            Image.Resampling.BILINEAR
            if key in SCORE_FIELDS else Image.Resampling.NEAREST)
        results[key] = pil_resize(results[key], size, resample)


@TRANSFORMS.register_module()
class RandomResizeLong(BaseTransform):
    """Resize the image to a random length of its long side.

    The length is an integer drawn uniformly from [min_long, max_long]; the
    resampling is Pillow's bicubic one on 8 bits. A mask, if loaded, follows
    with nearest neighbour, a saliency map with the bilinear filter.

    Required Keys:

    - img
    - gt_seg_map, gt_saliency (optional)

    Modified Keys:

    - img, img_shape, gt_seg_map, gt_saliency

    Added Keys:

    - scale_factor (tuple[float]): (width, height)
    - keep_ratio (bool)

    Args:
        min_long (int): Least length in pixels. Defaults to 320.
        max_long (int): Greatest length in pixels. Defaults to 640.
    """

    def __init__(self, min_long: int = 320, max_long: int = 640) -> None:
        if not 1 <= min_long <= max_long:
            raise ValueError('expected 1 <= min_long <= max_long, got '
                             f'{min_long} and {max_long}')
        self.min_long = min_long
        self.max_long = max_long

    def transform(self, results: dict) -> dict:
        """Resize ``img`` and, if present, ``gt_seg_map``."""
        length = np.random.randint(self.min_long, self.max_long + 1)
        height, width = results['img'].shape[:2]
        size = scaled_size((height, width), length / max(height, width))
        _resize_with_maps(results, size)
        return results

    def __repr__(self) -> str:
        return (f'{self.__class__.__name__}(min_long={self.min_long}, '
                f'max_long={self.max_long})')


@TRANSFORMS.register_module()
class RandomRescale(BaseTransform):
    """Rescale the image by a random factor, as IRN does for its affinities.

    The factor is drawn uniformly from [min_scale, max_scale]; resampling is that
    of :class:`RandomResizeLong`.

    Required Keys:

    - img
    - gt_seg_map, gt_saliency (optional)

    Modified Keys:

    - img, img_shape, gt_seg_map, gt_saliency

    Added Keys:

    - scale_factor (tuple[float]): (width, height)
    - keep_ratio (bool)

    Args:
        min_scale (float): Least factor of both sides. Defaults to 0.5.
        max_scale (float): Greatest factor of both sides. Defaults to 1.5.
    """

    def __init__(self, min_scale: float = 0.5, max_scale: float = 1.5) -> None:
        if not 0 < min_scale <= max_scale:
            raise ValueError('expected 0 < min_scale <= max_scale, got '
                             f'{min_scale} and {max_scale}')
        self.min_scale = min_scale
        self.max_scale = max_scale

    def transform(self, results: dict) -> dict:
        """Rescale ``img`` and the maps that follow it."""
        scale = np.random.uniform(self.min_scale, self.max_scale)
        _resize_with_maps(results,
                          scaled_size(results['img'].shape[:2], scale))
        return results

    def __repr__(self) -> str:
        return (f'{self.__class__.__name__}(min_scale={self.min_scale}, '
                f'max_scale={self.max_scale})')


@TRANSFORMS.register_module()
class PILRescale(BaseTransform):
    """Rescale the image for multi-scale inference, as IRN does.

    The new size is (round(h * scale), round(w * scale)), halves to even; the
    resampling is Pillow's bicubic one on 8 bits. Only the image is rescaled:
    a mask is scored at image size.

    Required Keys:

    - img

    Modified Keys:

    - img, img_shape

    Added Keys:

    - scale_factor (tuple[float]): (width, height)
    - keep_ratio (bool)

    Args:
        scale (float): Factor of both sides. Defaults to 1.0.
    """

    def __init__(self, scale: float = 1.0) -> None:
        if not scale > 0:
            raise ValueError(f'expected a scale above 0, got {scale}')
        self.scale = scale

    def transform(self, results: dict) -> dict:
        """Rescale ``img``."""
        _resize_image(results,
                      scaled_size(results['img'].shape[:2], self.scale))
        return results

    def __repr__(self) -> str:
        return f'{self.__class__.__name__}(scale={self.scale})'


@TRANSFORMS.register_module()
class RandomCropPad(BaseTransform):
    """Crop a random square; what the image lacks becomes the mean colour.

    A side longer than the crop is cut at a random offset; a shorter one is
    placed at a random offset. The missing area holds exactly ``pad_val``, so
    it is exactly 0 once the data preprocessor has subtracted the same mean:
    IRN pads after normalisation. A mask, if loaded, is padded with 255, a
    saliency map with 0. Image labels stay those of the whole image.

    Required Keys:

    - img
    - gt_seg_map, gt_saliency (optional)

    Modified Keys:

    - img (np.float32): of shape (crop_size, crop_size, 3)
    - img_shape, gt_seg_map, gt_saliency

    Added Keys:

    - pad_shape (tuple[int])
    - valid_box (tuple[int]): (x1, y1, x2, y2), where the image lies in the
      crop; x2 and y2 are exclusive

    Args:
        crop_size (int | tuple[int]): Side, or (height, width), in pixels.
        pad_val (Sequence[float]): Mean colour in the order of ``img`` (BGR).
            Defaults to ImageNet's mean.
        seg_pad_val (int): Label of the missing area. Defaults to 255.
    """

    def __init__(self,
                 crop_size: int | tuple[int, int] = 512,
                 pad_val: tuple[float, float, float] = (103.53, 116.28,
                                                        123.675),
                 seg_pad_val: int = 255) -> None:
        if isinstance(crop_size, int):
            crop_size = (crop_size, crop_size)
        if len(crop_size) != 2 or min(crop_size) < 1:
            raise ValueError('expected crop_size as one or two positive '
                             f'integers, got {crop_size}')
        if len(pad_val) != 3:
            raise ValueError(f'expected pad_val as 3 numbers, got {pad_val}')
        self.crop_size = tuple(crop_size)
        self.pad_val = tuple(pad_val)
        self.seg_pad_val = seg_pad_val

    @staticmethod
    def _place(length: int, crop: int) -> tuple[slice, slice]:
        """Draw where one side is cut from and where it is put."""
        offset = np.random.randint(abs(length - crop) + 1)
        if length > crop:
            return slice(offset, offset + crop), slice(0, crop)
        return slice(0, length), slice(offset, offset + length)

    def transform(self, results: dict) -> dict:
        """Crop ``img`` and, if present, ``gt_seg_map``."""
        height, width = results['img'].shape[:2]
        from_x, to_x = self._place(width, self.crop_size[1])
        from_y, to_y = self._place(height, self.crop_size[0])
        crop = np.empty((*self.crop_size, 3), dtype=np.float32)
        crop[:] = self.pad_val
        crop[to_y, to_x] = results['img'][from_y, from_x]
        results['img'] = crop
        for key in results.get('seg_fields', []):
            pad_val = 0 if key in SCORE_FIELDS else self.seg_pad_val
            mask = np.full(
                self.crop_size, pad_val, dtype=results[key].dtype)
            mask[to_y, to_x] = results[key][from_y, from_x]
            results[key] = mask
        results['img_shape'] = self.crop_size
        results['pad_shape'] = self.crop_size
        results['valid_box'] = (to_x.start, to_y.start, to_x.stop, to_y.stop)
        return results

    def __repr__(self) -> str:
        return (f'{self.__class__.__name__}(crop_size={self.crop_size}, '
                f'pad_val={self.pad_val}, seg_pad_val={self.seg_pad_val})')

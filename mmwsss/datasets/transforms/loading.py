# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import numpy as np
from mmcv.transforms import BaseTransform
from mmseg.datasets.transforms import LoadAnnotations
from mmseg.registry import TRANSFORMS

from ..image_io import (
    MAX_PIXELS,
    decode_image,
    decode_mask,
    read_image,
    read_mask,
    read_saliency,
)


@TRANSFORMS.register_module()
class LoadPILImage(BaseTransform):
    """Load an image of any usual kind, or fail naming the file.

    OpenCV returns the readable part of a truncated image; a model trained on
    grey bars does not notice. This transform reads with Pillow, strictly, and
    honours the EXIF orientation. Grey, RGBA, CMYK, palette and 16-bit images
    become BGR of 8 bits.

    As the loaders of mmseg's ``MMSegInferencer`` it also takes a path, or an image
    in memory (BGR, uint8), in place of a dict, and a dict that has ``img`` already.
    Of a shard it gets the content of the file, ``img_bytes``, which it takes out;
    ``img_path`` then only names it.

    Required Keys:

    - img_path (or img)
    - img_bytes (optional)

    Added Keys:

    - img (np.uint8): BGR of shape (H, W, 3)
    - img_shape, ori_shape (tuple[int]): (H, W)

    Args:
        ignore_orientation (bool): Whether to leave the pixels as stored,
            for masks that were drawn on unturned images. Defaults to False.
        backend_args (dict, optional): Arguments of mmengine's file backend.
        max_pixels (int, optional): Larger images are refused; None for no
            limit. Defaults to 100 million.
    """

    def __init__(self,
                 ignore_orientation: bool = False,
                 backend_args: dict | None = None,
                 max_pixels: int | None = MAX_PIXELS) -> None:
        self.ignore_orientation = ignore_orientation
        self.backend_args = backend_args
        self.max_pixels = max_pixels

    def transform(self, results: dict | str | np.ndarray) -> dict:
        """Load ``results['img_path']``.

        Raises:
            FileNotFoundError: If there is no such file.
            ValueError: If the file is truncated, empty or no image.
        """
        if isinstance(results, str):
            results = dict(img_path=results)
        elif isinstance(results, np.ndarray):
            results = dict(img=results, img_path=None)
        if 'img' in results:
            image = results['img']
        else:
            path, data = results['img_path'], results.pop('img_bytes', None)
            if data is None:
                image = read_image(path, self.ignore_orientation, self.backend_args,
                                   self.max_pixels)
            else:
                image = decode_image(
                    data, path, self.ignore_orientation, self.max_pixels)
            results['img'] = np.ascontiguousarray(image[..., ::-1])
        results['img_shape'] = image.shape[:2]
        results['ori_shape'] = image.shape[:2]
        return results

    def __repr__(self) -> str:
        return (f'{self.__class__.__name__}('
                f'ignore_orientation={self.ignore_orientation})')


@TRANSFORMS.register_module()
class LoadMask(LoadAnnotations):
    """Load the mask of an image and check that it fits the image.

    Like mmseg's ``LoadAnnotations``, but a mask of another size than the
    image, with several channels, or truncated, is an error that names it.

    Required Keys:

    - seg_map_path (unless ``optional``)
    - mask_bytes (optional): the content of that file, of a shard
    - ori_shape
    - label_map, reduce_zero_label, seg_fields
    - num_classes (optional): what ids must lie below, 255 apart

    Added Keys:

    - gt_seg_map (np.uint8): class ids of shape (H, W)

    Args:
        optional (bool): Whether images without a mask pass, for predicting
            without scoring. Defaults to False.
        reduce_zero_label (bool, optional): As in ``LoadAnnotations``.
        backend_args (dict, optional): Arguments of mmengine's file backend.
    """

    def __init__(self,
                 optional: bool = False,
                 reduce_zero_label: bool | None = None,
                 backend_args: dict | None = None) -> None:
        super().__init__(
            reduce_zero_label=reduce_zero_label, backend_args=backend_args)
        self.optional = optional

    def transform(self, results: dict) -> dict:
        """Load ``results['seg_map_path']``.

        Raises:
            FileNotFoundError: If there is no such file.
            ValueError: If the mask is unreadable, has another size than the
                image or ids of no class, or if there is none and it is not
                optional.
        """
        if not results.get('seg_map_path'):
            if self.optional:
                return results
            raise ValueError(
                f'{results["img_path"]} comes without a mask; set '
                '`with_masks=True` in the dataset, or `optional=True` here')
        return super().transform(results)

    def _load_seg_map(self, results: dict) -> None:
        path, data = results['seg_map_path'], results.pop('mask_bytes', None)
        mask = (read_mask(path, self.backend_args)
                if data is None else decode_mask(data, path))
        _check_size(mask, f'mask {path}', results)
        lookup = np.arange(256, dtype=np.uint8)
        if self.reduce_zero_label or results['reduce_zero_label']:
            lookup[1:255] -= 1
            lookup[0] = 255
        label_map = results.get('label_map')
        if label_map is not None:
            renamed = lookup.copy()
            for old, new in label_map.items():
                renamed[lookup == old] = new
            lookup = renamed
        mask = lookup[mask]
        num_classes = results.get('num_classes', 256)
        wrong = mask[(mask >= num_classes) & (mask != 255)]
        if wrong.size:
            raise ValueError(
                f'mask {path} holds the id {wrong.max()}, but there are '
                f'num_classes={num_classes} (0 to {num_classes - 1}; 255 is '
                'ignored)')
        results['gt_seg_map'] = mask
        results['seg_fields'].append('gt_seg_map')


@TRANSFORMS.register_module()
class LoadSaliency(BaseTransform):
    """Load the saliency map of an image: an 8-bit image made by another model.

    It follows the image through resizing, flips and crops and is packed as
    ``data_sample.gt_saliency``. What is trained with it is trained on image
    labels and saliency (I+S), which its numbers must say.

    Required Keys:

    - saliency_path
    - ori_shape
    - seg_fields

    Added Keys:

    - gt_saliency (np.uint8): of shape (H, W), 255 is salient

    Args:
        backend_args (dict, optional): Arguments of mmengine's file backend.
    """

    def __init__(self, backend_args: dict | None = None) -> None:
        self.backend_args = backend_args

    def transform(self, results: dict) -> dict:
        """Load ``results['saliency_path']``.

        Raises:
            FileNotFoundError: If there is no such file.
            ValueError: If the map is unreadable or has another size than the
                image, or if the dataset names none.
        """
        path = results.get('saliency_path')
        if not path:
            raise ValueError(
                f'{results["img_path"]} comes without a saliency map; give '
                'the dataset `data_prefix=dict(saliency_path=...)`')
        saliency = read_saliency(path, self.backend_args)
        _check_size(saliency, f'saliency map {path}', results)
        results['gt_saliency'] = saliency
        results['seg_fields'].append('gt_saliency')
        return results

    def __repr__(self) -> str:
        return f'{self.__class__.__name__}()'


def _check_size(array: np.ndarray, name: str, results: dict) -> None:
    """Refuse what is not of the size of its image."""
    height, width = results['ori_shape'][:2]
    if array.shape != (height, width):
        raise ValueError(
            f'{name} is {array.shape[1]}x{array.shape[0]} (width x height), expected '
            f'{width}x{height} as its image {results["img_path"]}')

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from collections.abc import Sequence

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmengine.structures import PixelData
from mmseg.datasets.transforms import PackSegInputs
from mmseg.registry import TRANSFORMS


@TRANSFORMS.register_module()
class PackWeakInputs(PackSegInputs):
    """Pack the inputs of weakly supervised segmentation.

    ``PackSegInputs`` whose meta information also holds the image labels (as
    ``data_sample.tags``) and what names the sample, and whose data
    hold, where present, the saliency map as ``data_sample.gt_saliency``, uint8 of
    shape (1, H, W), and the view of :class:`StrongView` as
    ``data_sample.strong_img``, of shape and dtype of the inputs.

    Args:
        meta_keys (Sequence[str]): Keys that are kept if present.
    """

    def __init__(self,
                 meta_keys: Sequence[str] = (
                     'img_path', 'seg_map_path', 'saliency_path', 'ori_shape',
                     'img_shape', 'pad_shape', 'scale_factor', 'flip',
                     'flip_direction', 'reduce_zero_label', 'tags',
                     'img_id', 'valid_box', 'sample_idx')
                 ) -> None:
        super().__init__(meta_keys=meta_keys)

    def transform(self, results: dict) -> dict:
        """Pack images, maps and meta keys."""
        # A flipped image of one pixel's width counts as contiguous, and torch
        # refuses it.
        for key, value in results.items():
            if isinstance(value, np.ndarray) and min(value.strides, default=0) < 0:
                results[key] = value.copy()
        packed = super().transform(results)
        if 'gt_saliency' in results:
            saliency = np.ascontiguousarray(results['gt_saliency'][None])
            packed['data_samples'].gt_saliency = PixelData(
                data=torch.from_numpy(saliency))
        if 'strong_img' in results:
            strong = results['strong_img'].transpose(2, 0, 1)
            packed['data_samples'].strong_img = PixelData(
                data=torch.from_numpy(np.ascontiguousarray(strong)))
        return packed


@TRANSFORMS.register_module()
class ImageLabelsFromMask(BaseTransform):
    """Derive image labels from the mask, for stock mmseg data sets.

    Put it where the mask is still whole (before any crop), and let
    :class:`PackWeakInputs` pack the result.

    Required Keys:

    - gt_seg_map

    Added Keys:

    - tags (np.uint8): multi-hot of shape (num_classes,), background
      always 1

    Args:
        num_classes (int): Number of classes, background included.
        ignore_index (int): Label that is no class. Defaults to 255.
    """

    def __init__(self, num_classes: int, ignore_index: int = 255) -> None:
        self.num_classes = num_classes
        self.ignore_index = ignore_index

    def transform(self, results: dict) -> dict:
        """Add ``tags``.

        Raises:
            ValueError: Naming the mask, if it holds an id that is no class.
        """
        present = np.unique(results['gt_seg_map'])
        present = present[present != self.ignore_index]
        if present.size and present[-1] >= self.num_classes:
            raise ValueError(
                f'mask {results.get("seg_map_path")} holds class '
                f'{present[-1]}, expected ids below {self.num_classes}')
        labels = np.zeros(self.num_classes, dtype=np.uint8)
        labels[0] = 1
        labels[present] = 1
        results['tags'] = labels
        return results

    def __repr__(self) -> str:
        return (f'{self.__class__.__name__}(num_classes={self.num_classes}, '
                f'ignore_index={self.ignore_index})')

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import os.path as osp
from collections.abc import Sequence

import mmengine.fileio as fileio
import numpy as np
from mmseg.datasets import BaseSegDataset
from mmseg.registry import DATASETS

from mmwsss.structures import encode_tags, load_label_table
from mmwsss.utils import read_class_names, read_id_list, with_background


@DATASETS.register_module()
class BaseWeakSegDataset(BaseSegDataset):
    """Images with image labels: which classes they show, not where.

    Each sample holds ``img_path``, ``img_id``, ``tags`` (uint8
    multi-hot of shape (num_classes,), background always 1) and, only where
    ``with_masks`` asks for it, ``seg_map_path``. Training thus cannot read a
    mask: it does not know where they are.

    Args:
        ann_file (str): List of image ids (file names without suffix), one a
            line.
        label_file (str): Label table, see
            :func:`mmwsss.structures.load_label_table`. If empty, samples come
            without ``tags``, which in a test run means that no class
            is ruled out. Defaults to ''.
        classes (Sequence[str] | str, optional): All classes, or a text file
            that lists them; background is put first if it is missing. So are
            ``classes`` of ``metainfo``, where this is None. Tags of
            ``METAINFO`` classes left out here are dropped. Defaults to None,
            the classes of ``metainfo`` or ``METAINFO``.
        with_masks (bool | str): Whether samples hold ``seg_map_path``, for
            scoring. ``'available'`` takes the masks that there are. Defaults
            to False.
        allow_empty (bool): Whether an image may have no tags. It then trains
            as all-negative; ``filter_cfg=dict(filter_empty_gt=True)`` leaves
            it out, as is right for seeds. Defaults to False: an error.
        on_missing_labels (str): What an image means that the label table
            does not list: ``'error'``, ``'empty'`` (it has no tags) or
            ``'no_filter'`` (its tags are unknown, for test runs). Defaults
            to ``'error'``.
        data_prefix (dict): Folders of images and masks. Defaults to
            ``dict(img_path='JPEGImages', seg_map_path='SegmentationClass')``.
            With ``saliency_path``, samples hold the path of a saliency map
            (``<id>.png``), for :class:`LoadSaliency`; results made with it
            are no longer of image labels alone (I+S).
        **kwargs: As in :class:`mmseg.datasets.BaseSegDataset`.

    Raises:
        FileNotFoundError: Naming the id and the path, if an image, or a mask
            or saliency map that is asked for, is missing.
        ValueError: Naming the file, the id and the class, if the list is
            empty or holds an id twice, if a class is unknown, or if an image
            has no tags although it must.
    """

    def __init__(self,
                 ann_file: str = '',
                 label_file: str = '',
                 classes: Sequence[str] | str | None = None,
                 with_masks: bool | str = False,
                 allow_empty: bool = False,
                 on_missing_labels: str = 'error',
                 data_root: str | None = None,
                 data_prefix: dict | None = None,
                 metainfo: dict | None = None,
                 **kwargs) -> None:
        if with_masks not in (True, False, 'available'):
            raise ValueError("expected with_masks as a bool or 'available', "
                             f'got {with_masks!r}')
        if on_missing_labels not in ('error', 'empty', 'no_filter'):
            raise ValueError("expected on_missing_labels as 'error', 'empty' "
                             f"or 'no_filter', got {on_missing_labels!r}")
        self.with_masks = with_masks
        self.allow_empty = allow_empty
        self.on_missing_labels = on_missing_labels
        self.label_file = self._rooted(data_root, label_file)
        if data_prefix is None:
            data_prefix = dict(
                img_path='JPEGImages', seg_map_path='SegmentationClass')
        classes = self._read_classes(classes, metainfo, data_root)
        if classes is not None:
            metainfo = dict(metainfo or {}, classes=tuple(classes))
        super().__init__(
            ann_file=ann_file,
            data_root=data_root,
            data_prefix=data_prefix,
            metainfo=metainfo,
            **kwargs)

    @staticmethod
    def _rooted(data_root: str | None, path: str) -> str:
        """Join a path to the data root as ``BaseDataset`` does."""
        return osp.join(data_root, path) if data_root and path else path

    @classmethod
    def _read_classes(cls, classes: Sequence[str] | str | None,
                      metainfo: dict | None,
                      data_root: str | None) -> list[str] | None:
        """The classes, background first, from either argument that gives them."""
        if classes is None:
            classes = (metainfo or {}).get('classes')
        if isinstance(classes, str):
            return read_class_names(cls._rooted(data_root, classes))
        return None if classes is None else with_background(classes)

    @property
    def _label_source(self) -> str:
        """Where the tags come from, for errors."""
        return self.label_file or self.data_prefix['img_path']

    def list_images(self) -> list[tuple[str, str]]:
        """Return (id, path) of each image; subclasses know other layouts."""
        folder = self.data_prefix['img_path']
        return [(image_id, osp.join(folder, image_id + self.img_suffix))
                for image_id in read_id_list(self.ann_file)]

    def load_labels(self, ids: Sequence[str]) -> dict[str, np.ndarray] | None:
        """Return the image labels by id, or None where there are none."""
        if not self.label_file:
            if self.test_mode or self.with_masks:
                return None
            raise ValueError('training needs image labels: expected '
                             f'`label_file` for {self.ann_file or ids[0]}')
        return load_label_table(
            self.label_file,
            self._metainfo['classes'],
            ignored=self.METAINFO.get('classes', ()))

    def mask_path(self, image_id: str) -> str:
        """Return where the mask of an image lies."""
        return osp.join(self.data_prefix['seg_map_path'],
                        image_id + self.seg_map_suffix)

    def saliency_path(self, image_id: str) -> str:
        """Return where the saliency map of an image lies."""
        return osp.join(self.data_prefix['saliency_path'], image_id + '.png')

    def _labels_of(self, image_id: str, table: dict) -> np.ndarray | None:
        labels = table.get(image_id)
        if labels is None:
            if self.on_missing_labels == 'no_filter':
                return None
            if self.on_missing_labels == 'error':
                raise ValueError(f'image {image_id!r} is not listed in the '
                                 f'label table {self.label_file}')
            labels = encode_tags((), self._metainfo['classes'])
        if not self.allow_empty and not labels[1:].any():
            raise ValueError(
                f'image {image_id!r} has no tags in {self._label_source}; give '
                'it one, take it off the list, or set `allow_empty=True`')
        return labels

    def load_data_list(self) -> list[dict]:
        """List the samples and check that their files exist."""
        images = self.list_images()
        table = self.load_labels([image_id for image_id, _ in images])
        data_list = []
        for image_id, path in images:
            if not fileio.exists(path, self.backend_args):
                raise FileNotFoundError(
                    f'the file of image {image_id!r} does not exist: {path}')
            info = dict(
                img_path=path,
                img_id=image_id,
                num_classes=len(self._metainfo['classes']),
                label_map=self.label_map,
                reduce_zero_label=self.reduce_zero_label,
                seg_fields=[])
            if table is not None:
                labels = self._labels_of(image_id, table)
                if labels is not None:
                    info['tags'] = labels
            if self.with_masks:
                mask = self.mask_path(image_id)
                if fileio.exists(mask, self.backend_args):
                    info['seg_map_path'] = mask
                elif self.with_masks != 'available':
                    raise FileNotFoundError(
                        f'mask of image {image_id!r} does not exist: {mask}')
            if 'saliency_path' in self.data_prefix:
                saliency = self.saliency_path(image_id)
                if not fileio.exists(saliency, self.backend_args):
                    raise FileNotFoundError(
                        f'saliency map of image {image_id!r} does not exist: '
                        f'{saliency}')
                info['saliency_path'] = saliency
            data_list.append(info)
        return data_list

    def filter_data(self) -> list[dict]:
        """Leave out images without tags if ``filter_cfg`` says so."""
        if not (self.filter_cfg or {}).get('filter_empty_gt', False):
            return self.data_list
        kept = [
            info for info in self.data_list
            if 'tags' not in info or info['tags'][1:].any()
        ]
        if not kept:
            raise ValueError(f'no image of {self.ann_file or "the set"} has a tag in '
                             f'{self._label_source}')
        return kept

    def get_cat_ids(self, idx: int) -> list[int]:
        """Return the foreground class ids of a sample."""
        labels = self.get_data_info(idx)['tags']
        return [int(i) for i in np.flatnonzero(labels) if i > 0]

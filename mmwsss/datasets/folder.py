# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import logging
import os.path as osp
from collections.abc import Sequence

import numpy as np
from mmengine.logging import print_log
from mmseg.registry import DATASETS

from mmwsss.structures import (
    IMAGE_SUFFIXES,
    encode_tags,
    read_label_names,
    strip_image_suffix,
)
from mmwsss.utils import (
    check_image_ids,
    naming,
    read_id_list,
    with_background,
)
from mmwsss.utils.image_files import describe_unused, sort_files

from .base import BaseWeakSegDataset
from .image_io import voc_palette


def find_images(folder: str) -> dict[str, str]:
    """Find all images below a folder, and say which files are none.

    Args:
        folder (str): Searched recursively, behind links too. Suffixes are those of
            ``IMAGE_SUFFIXES`` in any case. Hidden files, hidden folders and what
            is no regular file are not used.

    Returns:
        dict[str, str]: Path of each image by its id, which is the path below
        ``folder`` without suffix, with ``/``; sorted.

    Raises:
        FileNotFoundError: If there is no such folder.
        ValueError: If it holds no image, or two of the same id.
    """
    images, others = sort_files(folder)
    if others:
        print_log(f'{folder}: {describe_unused(others)}', logger='current',
                  level=logging.WARNING)
    if not images:
        raise ValueError(f'image folder {folder} holds no image '
                         f'({", ".join(IMAGE_SUFFIXES)})')
    return images


@DATASETS.register_module()
class WeakFolderDataset(BaseWeakSegDataset):
    """One's own images, of mixed suffixes, with tags.

    The tags come from a table (``label_file``) or, if ``class_folders``, from
    the folders: each image below ``<img_path>/<class>/`` shows that class.
    Ids are paths below ``img_path`` without suffix (``cat/001``), so that
    images of different folders may share a name.

    Args:
        ann_file (str): List of ids, or of file names. Defaults to '', all
            images.
        label_file (str): JSON or CSV table of tags, see
            :func:`mmwsss.structures.read_label_names`. Defaults to ''.
        classes (Sequence[str] | str, optional): All classes, or a text file
            that lists them. Defaults to None: all names that the table or the
            folders hold, sorted. Give them where a model's ``num_classes``
            must fit.
        class_folders (bool): Whether the folders are the tags. Defaults to
            False.
        data_prefix (dict): Defaults to
            ``dict(img_path='photos', seg_map_path='masks')``.
        **kwargs: As in :class:`BaseWeakSegDataset`.

    Raises:
        ValueError: Also if an image of the table has no file.
    """

    def __init__(self,
                 ann_file: str = '',
                 label_file: str = '',
                 classes: Sequence[str] | str | None = None,
                 class_folders: bool = False,
                 data_root: str | None = None,
                 data_prefix: dict | None = None,
                 metainfo: dict | None = None,
                 **kwargs) -> None:
        if label_file and class_folders:
            raise ValueError('tags come from `label_file` or from '
                             '`class_folders`, not from both')
        self.class_folders = class_folders
        if data_prefix is None:
            data_prefix = dict(img_path='photos', seg_map_path='masks')
        classes = self._read_classes(classes, metainfo, data_root)
        if classes is None:
            if label_file:
                table = read_label_names(self._rooted(data_root, label_file))
                names = {name for tags in table.values() for name in tags}
            elif class_folders:
                folder = self._rooted(data_root, data_prefix['img_path'])
                names = {
                    image_id.split('/')[0]
                    for image_id in find_images(folder) if '/' in image_id
                }
            else:
                raise ValueError('expected `classes`, `label_file` or '
                                 '`class_folders`: the classes are unknown')
            classes = sorted(names)
        if 'palette' not in (metainfo or {}):
            metainfo = dict(
                metainfo or {},
                palette=voc_palette(len(with_background(classes))))
        super().__init__(
            ann_file=ann_file,
            label_file=label_file,
            classes=classes,
            data_root=data_root,
            data_prefix=data_prefix,
            metainfo=metainfo,
            **kwargs)

    def list_images(self) -> list[tuple[str, str]]:
        """Return (id, path) of the listed images, or of all."""
        folder = self.data_prefix['img_path']
        images = find_images(folder)
        if not self.ann_file:
            return list(images.items())
        with naming(self.ann_file):
            ids = [strip_image_suffix(name) for name in read_id_list(self.ann_file)]
        check_image_ids(ids, self.ann_file)
        # A missing image keeps its listed name, for the error to name it.
        return [(image_id, images.get(image_id, osp.join(folder, image_id)))
                for image_id in ids]

    def load_labels(self, ids: Sequence[str]) -> dict[str, np.ndarray] | None:
        """Return the image labels by id, from the table or the folders."""
        if not self.class_folders:
            table = super().load_labels(ids)
            if table is not None and not self.ann_file:
                known = set(ids)
                for image_id in table:
                    if image_id not in known:
                        raise ValueError(
                            f'{self.label_file}: image {image_id!r} has no '
                            f'image in {self.data_prefix["img_path"]}')
            return table
        table = {}
        for image_id in ids:
            tags = [image_id.split('/')[0]] if '/' in image_id else []
            try:
                table[image_id] = encode_tags(
                    tags, self._metainfo['classes'])
            except ValueError as error:
                raise ValueError(
                    f'{self.data_prefix["img_path"]}: image {image_id!r}: '
                    f'{error}') from error
        return table

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import logging
import os
import os.path as osp
from collections import Counter
from collections.abc import Sequence

import numpy as np
from mmengine.logging import print_log
from mmseg.registry import DATASETS

from mmwsss.structures import (
    PHOTO_SUFFIXES,
    encode_image_labels,
    photo_id,
    read_label_names,
)
from mmwsss.utils import (
    check_image_ids,
    naming,
    read_class_names,
    read_id_list,
    walk_files,
    with_background,
)

from .base import BaseWeakSegDataset
from .image_io import voc_palette


def find_photos(folder: str) -> dict[str, str]:
    """Find all photos below a folder, and say which files are none.

    Args:
        folder (str): Searched recursively, behind links too; hidden files and
            folders are skipped. Suffixes are those of ``PHOTO_SUFFIXES`` in any
            case.

    Returns:
        dict[str, str]: Path of each photo by its id, which is the path below
        ``folder`` without suffix, with ``/``; sorted.

    Raises:
        FileNotFoundError: If there is no such folder.
        ValueError: If it holds no photo, or two of the same id.
    """
    photos, others = sort_files(folder)
    if others:
        print_log(f'{folder}: {describe_unused(others)}', logger='current',
                  level=logging.WARNING)
    if not photos:
        raise ValueError(f'photo folder {folder} holds no photo '
                         f'({", ".join(PHOTO_SUFFIXES)})')
    return photos


def sort_files(folder: str) -> tuple[dict[str, str], list[str]]:
    """The photos below a folder by their ids, and its other files.

    Args:
        folder (str): See :func:`find_photos`, also for what is raised.
    """
    if not osp.isdir(folder):
        raise FileNotFoundError(f'photo folder {folder} does not exist')
    photos: dict[str, str] = {}
    others = []
    for name in walk_files(folder):
        path = osp.join(folder, name)
        if osp.splitext(name)[1].lower() not in PHOTO_SUFFIXES:
            others.append(path)
            continue
        with naming(folder):
            image_id = photo_id(name.replace(os.sep, '/'))
        if image_id in photos:
            raise ValueError(f'duplicate id {image_id!r}: '
                             f'{photos[image_id]} and {path}')
        photos[image_id] = path
    check_image_ids(photos, folder)
    return dict(sorted(photos.items())), others


def describe_unused(paths: Sequence[str]) -> str:
    """Say in a line which files are no photos, by suffix, and what to do."""
    suffixes = Counter(
        osp.splitext(path)[1].lower() or 'no suffix' for path in paths)
    kinds = ', '.join(f'{count} {suffix}' for suffix, count in
                      suffixes.most_common())
    return (f'{len(paths)} files are not used ({kinds}; the first is '
            f'{paths[0]}): photos end in {", ".join(PHOTO_SUFFIXES)}; convert '
            'others')


@DATASETS.register_module()
class WeakFolderDataset(BaseWeakSegDataset):
    """One's own photos, of mixed suffixes, with tags.

    The tags come from a table (``label_file``) or, if ``class_folders``, from
    the folders: each photo below ``<img_path>/<class>/`` shows that class.
    Ids are paths below ``img_path`` without suffix (``cat/001``), so that
    photos of different folders may share a name.

    Args:
        ann_file (str): List of ids, or of file names. Defaults to '', all
            photos.
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
        ValueError: Also if an image of the table has no photo.
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
        if classes is None and 'classes' not in (metainfo or {}):
            if label_file:
                table = read_label_names(self._rooted(data_root, label_file))
                names = {name for tags in table.values() for name in tags}
            elif class_folders:
                folder = self._rooted(data_root, data_prefix['img_path'])
                names = {
                    image_id.split('/')[0]
                    for image_id in find_photos(folder) if '/' in image_id
                }
            else:
                raise ValueError('expected `classes`, `label_file` or '
                                 '`class_folders`: the classes are unknown')
            classes = sorted(names)
        if classes is not None and 'palette' not in (metainfo or {}):
            if isinstance(classes, str):
                classes = read_class_names(self._rooted(data_root, classes))
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

    def list_photos(self) -> list[tuple[str, str]]:
        """Return (id, path) of the listed photos, or of all."""
        folder = self.data_prefix['img_path']
        photos = find_photos(folder)
        if not self.ann_file:
            return list(photos.items())
        with naming(self.ann_file):
            ids = [photo_id(name) for name in read_id_list(self.ann_file)]
        check_image_ids(ids, self.ann_file)
        # A missing photo keeps its listed name, for the error to name it.
        return [(image_id, photos.get(image_id, osp.join(folder, image_id)))
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
                            f'photo in {self.data_prefix["img_path"]}')
            return table
        table = {}
        for image_id in ids:
            tags = [image_id.split('/')[0]] if '/' in image_id else []
            try:
                table[image_id] = encode_image_labels(
                    tags, self._metainfo['classes'])
            except ValueError as error:
                raise ValueError(
                    f'{self.data_prefix["img_path"]}: image {image_id!r}: '
                    f'{error}') from error
        return table

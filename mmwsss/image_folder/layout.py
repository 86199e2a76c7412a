# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Finds images, tags, classes, masks and lists in a folder, without options."""

import os
import os.path as osp
from collections.abc import Iterable
from dataclasses import dataclass, field

from mmwsss.utils import naming, read_class_names, read_id_list
from mmwsss.utils.image_files import describe_unused, sort_files
from mmwsss.utils.label_table import read_label_names, strip_image_suffix

IMAGE_FOLDERS = ('photos', 'images', 'JPEGImages', 'img')
MASK_FOLDERS = ('masks', 'SegmentationClass', 'annotations')
TABLES = ('tags.csv', 'tags.json', 'labels.csv', 'labels.json', 'image_tags.json',
          'image_labels.json')
SPLITS = ('train', 'val', 'test')
_TEXTS = ('.txt', '.csv', '.json', '.md')
_LIST_FOLDERS = ('', 'ImageSets', osp.join('ImageSets', 'Segmentation'))


@dataclass
class ImageFolder:
    """What a folder of images holds.

    Args:
        root (str): The folder.
        image_root (str): Where its images are: ``root`` or a folder in it.
        images (dict[str, str]): Path of each image by its id.
        tags (dict[str, list[str]]): Tags of each image that has any; only images
            that are there.
        tag_source (str): The table's path, or '' if folders are the tags.
        classes (list[str]): The classes in their order, without background.
        class_source (str): The file that lists them, or '' if they are the tags
            that occur.
        masks (dict[str, str]): Path of the mask of each image that has one.
        mask_root (str): Their folder, or ''.
        lists (dict[str, list[str]]): Ids of the split that a list names, by
            ``'train'``, ``'val'``, ``'test'``.
        lost (list[str]): Ids of the table that no image has.
        unused (dict[str, str]): The kind of each file beside the images that is not
            used, by its path, as :func:`sort_files` tells it, and of each mask.
    """

    root: str
    image_root: str
    images: dict[str, str]
    tags: dict[str, list[str]]
    tag_source: str
    classes: list[str]
    class_source: str
    masks: dict[str, str] = field(default_factory=dict)
    mask_root: str = ''
    lists: dict[str, list[str]] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    unused: dict[str, str] = field(default_factory=dict)

    def describe(self) -> list[str]:
        """What was found, a line each."""
        tagged = sum(bool(names) for names in self.tags.values())
        source = self._name(self.tag_source) or 'the names of their folders'
        classes = self._name(self.class_source) or 'the tags'
        lines = [
            f'{len(self.images)} photos in {self._name(self.image_root) or "."}',
            f'tags of {tagged} of them, from {source}',
            f'{len(self.classes)} classes, from {classes}: {", ".join(self.classes)}',
            f'{len(self.masks)} masks in {self._name(self.mask_root)}'
            if self.masks else 'no masks: nothing is scored']
        lines += [f'{len(ids)} photos in the list of {name}'
                  for name, ids in self.lists.items()]
        if self.unused:
            lines.append(describe_unused(self.unused))
        return lines

    def _name(self, path: str) -> str:
        name = osp.relpath(path, self.root) if path else ''
        return '' if name == '.' else name


def find_layout(root: str,
                tags: str | None = None,
                masks: str | None = None,
                classes: str | None = None) -> ImageFolder:
    """Find out how a folder of images is laid out.

    Images lie in ``photos/`` (or ``images/``, ``JPEGImages/``), else in the folder
    itself. Tags are a table, ``tags.csv``, ``tags.json`` or the only csv or json
    file; without one, each folder of images is a class. Classes are those of
    ``classes.txt``, else the tags that occur. Masks are ``masks/<id>.png``. Lists
    ``train.txt``, ``val.txt`` and ``test.txt`` name a split of their owner.

    Args:
        root (str): The folder.
        tags (str, optional): The table, where the folder does not tell.
        masks (str, optional): The folder of masks, where the folder does not tell.
        classes (str, optional): The list of classes, likewise.

    Raises:
        FileNotFoundError: If there is no such folder or file.
        ValueError: Naming what is missing, ambiguous or wrong.
    """
    if not osp.isdir(root):
        raise FileNotFoundError(f'there is no folder {root}')
    table = tags or _find_table(root)
    mask_root = masks or _first_folder(root, MASK_FOLDERS)
    if masks and not osp.isdir(masks):
        raise FileNotFoundError(f'there is no folder of masks {masks}')
    image_root = _first_folder(root, IMAGE_FOLDERS) or root
    images, unused = sort_files(image_root)
    if image_root == root:
        # Masks, and the work folder of a run from here, lie among the images' folders.
        others = tuple(osp.join(folder, '') for folder in (
            mask_root, osp.join(root, 'work_dirs')) if folder)
        images = {key: path for key, path in images.items()
                  if not path.startswith(others)}
        unused = {path: kind for path, kind in unused.items()
                  if kind not in _TEXTS and not path.startswith(others)}
    if not images:
        raise ValueError(f'{image_root} holds no photo that can be read')
    if table:
        names, lost = _match(read_label_names(table), images, table)
    else:
        names, lost = _folder_tags(images, image_root), []
    class_file = classes or _existing(root, 'classes.txt')
    known = read_class_names(class_file)[1:] if class_file else sorted(
        {name for tagged in names.values() for name in tagged})
    found = {}
    drawn, no_masks = sort_files(mask_root) if mask_root else ({}, {})
    unused.update(no_masks)
    for key, path in drawn.items():
        if not path.lower().endswith('.png'):
            unused[path] = 'mask that is no .png'
        elif key not in images:
            unused[path] = 'mask of no photo'
        else:
            found[key] = path
    return ImageFolder(root, image_root, images, names, table, known, class_file,
                       found, mask_root if found else '', _read_lists(root, images),
                       lost, unused)


def _find_table(root: str) -> str:
    for name in TABLES:
        if found := _existing(root, name):
            return found
    others = [name for name in sorted(os.listdir(root))
              if osp.splitext(name)[1].lower() in ('.csv', '.json')
              and not name.startswith('.')]
    if len(others) > 1:
        raise ValueError(f'{root} holds {", ".join(others)}: say by --tags which one '
                         'is the table of tags, or call it tags.csv')
    return osp.join(root, others[0]) if others else ''


def _match(table: dict[str, list[str]], images: dict[str, str],
           source: str) -> tuple[dict[str, list[str]], list[str]]:
    """Tags by the ids of images, whichever way the table names these.

    It may name an image by its path below the folder of images or below the whole
    folder, or by its file name alone where no other image has that.
    """
    by_name: dict[str, list[str]] = {}
    for key in images:
        by_name.setdefault(key.rsplit('/', 1)[-1], []).append(key)
    tags: dict[str, list[str]] = {}
    lost = []
    for key, names in table.items():
        rest = key.split('/', 1)[1] if '/' in key else ''
        alone = by_name.get(key, [])
        found = key if key in images else rest if rest in images else (
            alone[0] if len(alone) == 1 else '')
        if not found:
            lost.append(key)
        elif found in tags:
            raise ValueError(f'{source}: two rows are of the photo {found!r}, the '
                             f'second is {key!r}')
        else:
            tags[found] = list(dict.fromkeys(names))
    if not tags:
        raise ValueError(f'{source} names none of the photos; its first row is of '
                         f'{next(iter(table))!r}, the first photo is '
                         f'{next(iter(images))!r}')
    return tags, lost


def _folder_tags(images: dict[str, str], image_root: str) -> dict[str, list[str]]:
    tags = {key: [key.split('/', 1)[0]] for key in images if '/' in key}
    if not tags:
        raise ValueError(
            f'{image_root} says of no photo what it shows: bring a table tags.csv '
            '(photo,tags) or put the photos into one folder a class')
    return tags


def _read_lists(root: str, images: Iterable[str]) -> dict[str, list[str]]:
    known = set(images)
    lists = {}
    for name in SPLITS:
        for folder in _LIST_FOLDERS:
            path = osp.join(root, folder, f'{name}.txt')
            if name in lists or not osp.isfile(path):
                continue
            with naming(path):
                ids = [strip_image_suffix(key) for key in read_id_list(path)]
            if missing := [key for key in ids if key not in known]:
                raise ValueError(f'{path}: {len(missing)} ids are of no photo, the '
                                 f'first is {missing[0]!r}')
            lists[name] = ids
    return lists


def _first_folder(root: str, names: Iterable[str]) -> str:
    return next((osp.join(root, name) for name in names
                 if osp.isdir(osp.join(root, name))), '')


def _existing(root: str, name: str) -> str:
    path = osp.join(root, name)
    return path if osp.isfile(path) else ''

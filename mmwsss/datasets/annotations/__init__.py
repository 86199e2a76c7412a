# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Masks in the formats of annotation programs, and back."""

import os.path as osp
from collections.abc import Callable, Mapping, Sequence

from mmwsss.utils import check_image_ids, walk_files, with_background
from mmwsss.utils.renamed import renamed_arguments

from ..image_io import voc_palette, write_mask
from .coco_file import read_coco, write_coco
from .copying import copy_file
from .cvat_file import read_cvat, write_cvat
from .image_masks import (
    AnnotationOptions,
    ImageMask,
    Labels,
    Masks,
    find_image_masks,
)
from .label_studio_file import read_label_studio, write_label_studio
from .voc_folder import read_voc, write_voc
from .yolo_folder import read_yolo, write_yolo

__all__ = ['READERS', 'WRITERS', 'AnnotationOptions', 'Labels', 'Masks', 'ImageMask',
           'export_masks', 'find_image_masks', 'import_masks']

Writer = Callable[[Sequence[ImageMask], Labels, str, AnnotationOptions], None]
WRITERS: dict[str, Writer] = {
    'coco': write_coco, 'cvat': write_cvat, 'label-studio': write_label_studio,
    'voc': write_voc, 'yolo': write_yolo}
"""Format -> what writes it."""
READERS: dict[str, Callable[[str, Labels, str | None], Masks]] = {
    'coco': read_coco, 'cvat': read_cvat, 'label-studio': read_label_studio,
    'voc': read_voc, 'yolo': read_yolo}
"""Format -> what reads it."""


@renamed_arguments(photos='images', copy_photos='copy_images')
def export_masks(masks: str,
                 images: str,
                 classes: Sequence[str],
                 out: str,
                 format: str = 'coco',
                 tags: Mapping[str, list[str]] | None = None,
                 palette: Sequence[Sequence[int]] | None = None,
                 **options) -> int:
    """Write masks as annotations of another program.

    Pseudo labels and predictions alike: a folder of PNGs with class ids. Pixels
    of id 255 are nobody's, except in VOC's format, which has them too.

    Args:
        masks (str): Folder of ``<id>.png``.
        images (str): Folder of the images; those without a mask are left out.
        classes (Sequence[str]): Names of all classes, background first (or left
            out).
        out (str): The folder to write.
        format (str): ``'coco'`` (``annotations.json``), ``'cvat'``
            (``annotations.xml``, *CVAT for images 1.1*), ``'label-studio'``
            (``tasks.json`` with predictions, ``label_config.xml``), ``'voc'`` or
            ``'yolo'`` (folders). Defaults to 'coco'.
        tags (Mapping[str, list[str]], optional): Class names by id; CVAT and Label
            Studio show them to be corrected. Defaults to None.
        palette (Sequence, optional): RGB colour of each class. Defaults to VOC's.
        **options: Of :class:`AnnotationOptions`: ``polygons``, ``tolerance``,
            ``min_pixels``, ``copy_images``, ``url``.

    Returns:
        int: How many images were written.

    Raises:
        FileNotFoundError: If there is no such folder.
        ValueError: If the format is unknown, no image has a mask, or a mask does
            not fit its image or the classes.
        ImportError: If pycocotools is missing, for COCO.
    """
    labels = _labels(classes, palette)
    if format not in WRITERS:
        raise ValueError(f'format must be one of {list(WRITERS)}, got {format!r}')
    items = find_image_masks(images, masks, tags)
    WRITERS[format](items, labels, out, AnnotationOptions(**options))
    return len(items)


@renamed_arguments(photos='images')
def import_masks(source: str,
                 out: str,
                 classes: Sequence[str],
                 format: str = 'coco',
                 images: str | None = None,
                 base: str | None = None,
                 palette: Sequence[Sequence[int]] | None = None) -> list[str]:
    """Write masks that were drawn or corrected in another program.

    With ``base``, the folder of pseudo labels, images that nobody corrected keep
    theirs: the result is what a segmentation model trains on.

    Args:
        source (str): The program's export: a file, or a folder as
            :func:`export_masks` writes it.
        out (str): Folder for ``<id>.png``.
        classes (Sequence[str]): Names of all classes, background first (or left
            out).
        format (str): As in :func:`export_masks`. Defaults to 'coco'.
        images (str, optional): Folder of the images, for YOLO. Defaults to None.
        base (str, optional): Folder of masks to complete the others. Defaults to
            None.
        palette (Sequence, optional): RGB colour of each class. Defaults to VOC's.

    Returns:
        list[str]: Ids of the images that ``source`` has masks of.

    Raises:
        FileNotFoundError: If there is no such file or folder.
        ValueError: Naming the file, if it cannot be read or names other classes.
    """
    labels = _labels(classes, palette)
    if format not in READERS:
        raise ValueError(f'format must be one of {list(READERS)}, got {format!r}')
    if base is not None and not osp.isdir(base):
        raise FileNotFoundError(f'folder of masks {base} does not exist')
    ids: dict[str, None] = {}
    for image_id, mask in READERS[format](source, labels, images):
        check_image_ids([image_id], source)
        if image_id in ids:
            raise ValueError(f'{source}: two masks of image {image_id!r}')
        write_mask(osp.join(out, f'{image_id}.png'), mask, labels.palette)
        ids[image_id] = None
    if not ids:
        raise ValueError(f'{source} holds no masks')
    if base is not None and osp.abspath(base) != osp.abspath(out):
        done = {f'{image_id}.png' for image_id in ids}
        for name in walk_files(base):
            if name.endswith('.png') and name.replace('\\', '/') not in done:
                copy_file(osp.join(base, name), osp.join(out, name))
    return list(ids)


def _labels(classes: Sequence[str],
            palette: Sequence[Sequence[int]] | None) -> Labels:
    names = with_background(classes)
    colors = voc_palette(len(names)) if palette is None else palette
    if len(colors) != len(names):
        raise ValueError(f'{len(names)} classes and {len(colors)} colours')
    return Labels(names, colors)

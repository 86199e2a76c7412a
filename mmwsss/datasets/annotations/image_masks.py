# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Images and their masks, on the way to another format or back."""

import os
import os.path as osp
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mmwsss.datasets.folder import find_images
from mmwsss.datasets.image_io import MAX_PIXELS, read_image_size, read_mask
from mmwsss.structures import strip_image_suffix


@dataclass
class ImageMask:
    """An image with the mask that is to be written.

    Args:
        image_id (str): Its path below the folder of images, without suffix.
        file_name (str): The same, with suffix.
        path (str): The image.
        mask_path (str): Its mask.
        size (tuple[int, int]): (H, W).
        tags (list[str], optional): The classes it is tagged with, if known.
    """

    image_id: str
    file_name: str
    path: str
    mask_path: str
    size: tuple[int, int]
    tags: list[str] | None = None

    def read(self, num_classes: int) -> np.ndarray:
        """The mask, uint8 ``(H, W)``.

        Raises:
            ValueError: Naming the file, if it has another size than its image or
                holds an id that is no class.
        """
        mask = read_mask(self.mask_path)
        if mask.shape != self.size:
            raise ValueError(f'mask {self.mask_path} has the size {mask.shape}, its '
                             f'photo {self.path} {self.size}')
        check_class_ids(mask, num_classes, self.mask_path)
        return mask


@dataclass
class AnnotationOptions:
    """How masks are told in another format.

    Args:
        polygons (bool): Outlines instead of pixels. Defaults to False.
        tolerance (float): Pixels by which an outline may leave out corners.
            Defaults to 1.
        min_pixels (int): Smaller regions are left out. Defaults to 1.
        copy_images (bool): Whether images are copied beside their annotations,
            where a format has a place for them. Defaults to False.
        url (str): What stands before an image's file name where a format wants an
            address. Defaults to Label Studio's local files.
    """

    polygons: bool = False
    tolerance: float = 1.
    min_pixels: int = 1
    copy_images: bool = False
    url: str = '/data/local-files/?d='


@dataclass
class Labels:
    """Classes, background first, and their RGB colours."""

    classes: Sequence[str]
    palette: Sequence[Sequence[int]]

    def hex_colors(self) -> dict[str, str]:
        """``#rrggbb`` of each class but background."""
        return {name: '#' + ''.join(f'{value:02x}' for value in color) for name, color
                in zip(self.classes[1:], self.palette[1:], strict=True)}

    def id_of(self, name: str) -> int:
        """The id of a class.

        Raises:
            ValueError: If there is no such class.
        """
        if name not in self.classes:
            raise ValueError(f'unknown class {name!r}, expected one of '
                             f'{", ".join(self.classes)}')
        return self.classes.index(name)


def find_image_masks(images: str, masks: str,
                     tags: Mapping[str, list[str]] | None = None) -> list[ImageMask]:
    """The images of a folder that have a mask in another.

    Args:
        images (str): Folder of images; any folders below.
        masks (str): Folder of ``<id>.png``.
        tags (Mapping, optional): Tags by id. Defaults to None.

    Raises:
        FileNotFoundError: If there is no such folder.
        ValueError: If no image has a mask, or a mask has no image.
    """
    if not osp.isdir(masks):
        raise FileNotFoundError(f'folder of masks {masks} does not exist')
    items = []
    for image_id, path in find_images(images).items():
        mask_path = osp.join(masks, f'{image_id}.png')
        if osp.exists(mask_path):
            items.append(ImageMask(
                image_id, osp.relpath(path, images).replace(os.sep, '/'), path,
                mask_path, read_image_size(path),
                None if tags is None else list(tags.get(image_id, []))))
    if not items:
        raise ValueError(f'no photo of {images} has a mask in {masks} (<id>.png)')
    return items


def check_class_ids(mask: np.ndarray, num_classes: int, path: str) -> None:
    """Refuse a mask with an id that is no class.

    Raises:
        ValueError: Naming the file and the id.
    """
    wrong = [i for i in np.unique(mask).tolist() if num_classes <= i < 255]
    if wrong:
        raise ValueError(f'mask {path} holds class {wrong[0]}, expected ids below '
                         f'{num_classes} or 255')


def empty_mask(height: object, width: object) -> np.ndarray:
    """A mask of background, of the size that an annotation says.

    Raises:
        ValueError: If that is no size, or larger than images may be.
    """
    size = int(str(height)), int(str(width))
    if min(size) < 1 or size[0] * size[1] > MAX_PIXELS:
        raise ValueError(f'an image of {size[1]} x {size[0]} pixels')
    return np.zeros(size, np.uint8)


def id_of_file(file_name: str) -> str:
    """The id of an image by the file name that an annotation has."""
    return strip_image_suffix(file_name.replace('\\', '/').lstrip('/'))


Masks = Iterator[tuple[str, np.ndarray]]
"""Image id and uint8 mask ``(H, W)``, one by one."""

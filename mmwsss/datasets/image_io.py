# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Images and masks as files: read strictly, written whole."""

import io
import os.path as osp
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import BinaryIO

import mmengine.fileio as fileio
import numpy as np
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from mmwsss.utils import atomic_write

MAX_PIXELS = 100_000_000
"""Larger images are refused: a file of some kB can unpack to many GB."""

FORMATS = ('BMP', 'GIF', 'JPEG', 'PNG', 'TIFF', 'WEBP')
"""What is decoded, whatever a file is called. Pillow knows many more formats;
for one of them, EPS, it starts another program on the file's content."""

_ORIENTATION = 0x0112
"""The EXIF tag that says how an image is turned."""
_SIDEWAYS = 5
"""From this value of it on, height and width change places."""

# Pillow's settings are those of all threads.
_LOCK = threading.Lock()


@contextmanager
def _naming_image(path: str) -> Iterator[None]:
    """A damaged file surfaces as any of a dozen exceptions."""
    try:
        yield
    except Exception as error:
        raise ValueError(f'cannot read image {path}: {error}') from error


def _read(path: str, backend_args: dict | None) -> bytes:
    # A pipe or a device may never end.
    if osp.exists(path) and not osp.isfile(path):
        raise ValueError(f'{path} is no regular file')
    return fileio.get(path, backend_args=backend_args)


@contextmanager
def _opened(path: str,
            source: BinaryIO,
            max_pixels: int | None) -> Iterator[Image.Image]:
    """Open an image with its header read, or say why not, naming the file."""
    # Another library may have asked Pillow to fill up truncated files; and our
    # limit takes the place of Pillow's.
    with _LOCK, _naming_image(path):
        tolerant = ImageFile.LOAD_TRUNCATED_IMAGES
        limit = Image.MAX_IMAGE_PIXELS
        ImageFile.LOAD_TRUNCATED_IMAGES = False
        Image.MAX_IMAGE_PIXELS = None
        try:
            try:
                image = Image.open(source, formats=FORMATS)
            except UnidentifiedImageError as error:
                raise ValueError(f'it is none of {", ".join(FORMATS)}') from error
            width, height = image.size
            if max_pixels is not None and width * height > max_pixels:
                raise ValueError(f'{width}x{height} pixels are more than '
                                 f'max_pixels={max_pixels}')
            yield image
        finally:
            ImageFile.LOAD_TRUNCATED_IMAGES = tolerant
            Image.MAX_IMAGE_PIXELS = limit


def _decode(path: str,
            data: bytes,
            max_pixels: int | None = MAX_PIXELS) -> Image.Image:
    """Decode an image completely, or say why not, naming the file."""
    if not data:
        raise ValueError(f'{path} is empty (0 bytes)')
    with _opened(path, io.BytesIO(data), max_pixels) as image:
        image.load()
    return image


def read_image_size(path: str,
                    ignore_orientation: bool = False,
                    backend_args: dict | None = None) -> tuple[int, int]:
    """The size of an image as :func:`read_image` gives it, by its header alone.

    Only of a file on the disk: of other storage, mmengine hands out whole files.

    Args:
        path (str): The image.
        ignore_orientation (bool): See :func:`read_image`. Defaults to False.
        backend_args (dict, optional): Arguments of mmengine's file backend.

    Returns:
        tuple[int, int]: (height, width).

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: Naming the file, if it has no header of an image.
    """
    with ExitStack() as stack:
        if backend_args is None and osp.isfile(path):
            source: BinaryIO = stack.enter_context(open(path, 'rb'))
        else:
            source = io.BytesIO(_read(path, backend_args))
        image = stack.enter_context(_opened(path, source, None))
        width, height = image.size
        orientation = 1
        # Pillow itself turns a TIFF, and to find its EXIF decodes a whole PNG.
        if not ignore_orientation and image.format != 'TIFF':
            orientation = Image.Image.getexif(image).get(_ORIENTATION, 1)
    turned = orientation >= _SIDEWAYS
    return (width, height) if turned else (height, width)


def read_image(path: str,
               ignore_orientation: bool = False,
               backend_args: dict | None = None,
               max_pixels: int | None = MAX_PIXELS) -> np.ndarray:
    """Read an image of any usual kind as RGB.

    Grey, palette, RGBA (alpha is dropped, as OpenCV does), CMYK and 16-bit
    images are converted.

    Args:
        path (str): The image.
        ignore_orientation (bool): Whether to leave the pixels as stored
            instead of turning them as the EXIF tag says. Defaults to False.
        backend_args (dict, optional): Arguments of mmengine's file backend.
        max_pixels (int, optional): Larger images are refused; None for no
            limit. Defaults to 100 million.

    Returns:
        np.ndarray: uint8 RGB of shape (H, W, 3).

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: Naming the file, if it is truncated, empty, too large or no
            image.
    """
    return decode_image(
        _read(path, backend_args), path, ignore_orientation, max_pixels)


def decode_image(data: bytes,
                 path: str,
                 ignore_orientation: bool = False,
                 max_pixels: int | None = MAX_PIXELS) -> np.ndarray:
    """Decode an image of any usual kind to RGB, as :func:`read_image` does.

    Args:
        data (bytes): The content of its file.
        path (str): What errors call it.
        ignore_orientation (bool): See :func:`read_image`.
        max_pixels (int, optional): Likewise.

    Returns:
        np.ndarray: uint8 RGB of shape (H, W, 3).

    Raises:
        ValueError: Naming ``path``, if it is no whole image, or too large.
    """
    image = _decode(path, data, max_pixels)
    if not ignore_orientation:
        with _naming_image(f'{path} (its EXIF data)'):
            image = ImageOps.exif_transpose(image)
    if image.mode.startswith('I'):
        # 16-bit grey: keep the high byte, where ``convert`` would clip.
        grey = (np.asarray(image).astype(np.int64) >> 8).clip(0, 255)
        return np.repeat(grey.astype(np.uint8)[..., None], 3, axis=2)
    if image.mode == 'F':
        raise ValueError(f'{path} holds floating point values, expected a '
                         'image of 8 or 16 bits a channel')
    with _naming_image(path):
        return np.array(image.convert('RGB'))


def check_rgb(image: np.ndarray) -> np.ndarray:
    """Give back an RGB image (H, W, 3), uint8.

    Raises:
        ValueError: If it is none.
    """
    image = np.asarray(image)
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError('an image must be an RGB uint8 array (H, W, 3), got '
                         f'{image.dtype} {image.shape}')
    return image


def read_mask(path: str, backend_args: dict | None = None) -> np.ndarray:
    """Read a segmentation mask: a palette or grey image of class ids.

    Args:
        path (str): The mask.
        backend_args (dict, optional): Arguments of mmengine's file backend.

    Returns:
        np.ndarray: uint8 class ids of shape (H, W).

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: Naming the file, if it is no whole mask of 8-bit ids.
    """
    return decode_mask(_read(path, backend_args), path)


def decode_mask(data: bytes, path: str) -> np.ndarray:
    """Decode a segmentation mask, as :func:`read_mask` does.

    Args:
        data (bytes): The content of its file.
        path (str): What errors call it.

    Returns:
        np.ndarray: uint8 class ids of shape (H, W).

    Raises:
        ValueError: Naming ``path``, if it is no whole mask of 8-bit ids.
    """
    image = _decode(path, data)
    if image.format in ('JPEG', 'MPO'):
        raise ValueError(f'{path} is a JPEG, which changes class ids: save masks '
                         'as PNG')
    with _naming_image(path):
        mask = np.array(image)
        pictures = getattr(image, 'n_frames', 1)
    if pictures > 1:
        raise ValueError(f'{path} holds {pictures} pictures, expected one mask')
    if mask.ndim != 2:
        raise ValueError(f'{path}: expected a mask with one channel (palette '
                         f'or grey), got {mask.shape[2]} channels')
    if mask.dtype.kind == 'f':
        raise ValueError(f'{path}: expected class ids, got a mask of floating '
                         'point values')
    if mask.dtype != np.uint8 and mask.size and (mask.max() > 255
                                                 or mask.min() < 0):
        raise ValueError(f'{path}: expected class ids from 0 to 255, got '
                         f'{mask.min()} to {mask.max()}')
    return mask.astype(np.uint8)


def read_saliency(path: str, backend_args: dict | None = None) -> np.ndarray:
    """Read a saliency map: an image of 8 bits, its channels averaged.

    Args:
        path (str): The map.
        backend_args (dict, optional): Arguments of mmengine's file backend.

    Returns:
        np.ndarray: uint8 of shape (H, W); 0 is background, 255 salient.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: Naming the file, if it is no whole image of 8 bits.
    """
    image = _decode(path, _read(path, backend_args))
    if image.mode not in ('L', 'P', 'RGB', 'RGBA', 'LA'):
        raise ValueError(f'{path}: expected a saliency map of 8 bits, got '
                         f'an image of mode {image.mode!r}')
    if image.mode == 'L':
        return np.array(image)
    with _naming_image(path):
        channels = np.asarray(image.convert('RGB'), dtype=np.float32)
    return np.rint(channels.mean(axis=2)).astype(np.uint8)


def write_mask(path: str, mask: np.ndarray,
               palette: Sequence[Sequence[int]]) -> None:
    """Write a mask as an 8-bit palette PNG, atomically.

    Args:
        path (str): The file to write.
        mask (np.ndarray): uint8 class ids of shape (H, W).
        palette (Sequence): RGB triples, one a class; id 255 is shown in ivory,
            as in VOC.

    Raises:
        ValueError: Naming the file, if the mask does not hold class ids from 0
            to 255.
    """
    data = encode_mask(mask, palette, path)
    with atomic_write(path) as file:
        file.write(data)


def encode_mask(mask: np.ndarray, palette: Sequence[Sequence[int]],
                path: str = 'the mask') -> bytes:
    """The 8-bit palette PNG of a mask, see :func:`write_mask`.

    Args:
        mask (np.ndarray): uint8 class ids of shape (H, W).
        palette (Sequence): RGB triples, one a class.
        path (str): What errors call it. Defaults to 'the mask'.

    Raises:
        ValueError: If the mask does not hold class ids from 0 to 255.
    """
    if mask.dtype.kind not in 'biu' or mask.size and not (
            0 <= mask.min() and mask.max() <= 255):
        raise ValueError(
            f'{path}: expected integer class ids from 0 to 255, got '
            f'{mask.dtype} from {mask.min()} to {mask.max()}')
    colours = np.zeros((256, 3), dtype=np.uint8)
    colours[:len(palette)] = palette
    colours[255] = (224, 224, 192)
    image = Image.fromarray(mask.astype(np.uint8))
    image.putpalette(colours.tobytes())
    file = io.BytesIO()
    image.save(file, 'PNG')
    return file.getvalue()


def voc_palette(num_classes: int) -> list[list[int]]:
    """Return VOC's colours, which go on for any number of classes.

    The bits of the class id are dealt out to red, green and blue in turn,
    highest colour bit first.
    """
    palette = []
    for label in range(num_classes):
        colour = [0, 0, 0]
        for bit in range(8):
            colour[bit % 3] |= (label >> bit & 1) << (7 - bit // 3)
        palette.append(colour)
    return palette

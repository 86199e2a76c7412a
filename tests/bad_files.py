# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Makes files for the tests of readers, most of them bad."""

import io
import json
import os
import pickle
import zipfile
import zlib

import numpy as np
import torch
from PIL import Image


class Trap:
    """Makes a folder when it is unpickled without care."""

    def __init__(self, folder) -> None:
        self.folder = str(folder)

    def __reduce__(self):
        return os.mkdir, (self.folder,)


def image(array, kind='PNG', mode=None, **kwargs) -> bytes:
    """An image file of an array."""
    picture = Image.fromarray(np.asarray(array))
    if mode:
        picture = picture.convert(mode)
    file = io.BytesIO()
    picture.save(file, kind, **kwargs)
    return file.getvalue()


def pixels(width=6, height=4) -> np.ndarray:
    return np.arange(width * height * 3, dtype=np.uint8).reshape(height, width, 3)


def bomb(width, height) -> bytes:
    """A PNG of so many pixels in a few kB."""
    def chunk(kind, data):
        body = kind + data
        return (len(data).to_bytes(4, 'big') + body
                + zlib.crc32(body).to_bytes(4, 'big'))

    head = (width.to_bytes(4, 'big') + height.to_bytes(4, 'big')
            + bytes([1, 0, 0, 0, 0]))
    data = zlib.compress(bytes((width + 7) // 8 + 1) * min(height, 100))
    return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', head) + chunk(b'IDAT', data)
            + chunk(b'IEND', b''))


def endless_tiff() -> bytes:
    """A TIFF whose second picture lies where none can be."""
    data = bytearray(image(pixels(), 'TIFF', 'L'))
    directory = int.from_bytes(data[4:8], 'little')
    entries = int.from_bytes(data[directory:directory + 2], 'little')
    data[directory + 2 + 12 * entries] = 1
    return bytes(data)


def saved(value, **kwargs) -> bytes:
    """What ``torch.save`` writes."""
    file = io.BytesIO()
    torch.save(value, file, **kwargs)
    return file.getvalue()


def npy(array, **kwargs) -> bytes:
    """What ``np.save`` writes."""
    file = io.BytesIO()
    np.save(file, array, **kwargs)
    return file.getvalue()


def labels_npy(value, protocol=2) -> bytes:
    """A ``cls_labels.npy``."""
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        head, dict(descr='|O', fortran_order=False, shape=()))
    return head.getvalue() + pickle.dumps(value, protocol)


def npz(**arrays) -> bytes:
    """A seed file, good where no array is given."""
    content = dict(
        scores=np.full((1, 1, 2), 0.5, np.float16), labels=np.array([3]),
        size=np.array([4, 6]))
    content.update(arrays)
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w', zipfile.ZIP_DEFLATED) as archive:
        for name, value in content.items():
            if value is not None:
                archive.writestr(
                    f'{name}.npy', value if isinstance(value, bytes) else
                    npy(np.asarray(value), allow_pickle=True))
    return file.getvalue()


def header(shape, dtype='<f2') -> bytes:
    """The head of an array that has no body."""
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        head, dict(descr=dtype, fortran_order=False, shape=shape))
    return head.getvalue()


def coco(**parts) -> str:
    """COCO's instances, good where no part is given."""
    square = [0, 0, 2, 0, 2, 2, 0, 2]
    content = dict(
        images=[dict(id=1, file_name='a.jpg', height=4, width=6)],
        annotations=[dict(id=1, image_id=1, category_id=3, area=4, iscrowd=0,
                          segmentation=[square])],
        categories=[dict(id=3, name='cat')])
    return json.dumps({**content, **parts})


def cut(data: bytes, share: float = 0.6) -> bytes:
    return data[:int(len(data) * share)]

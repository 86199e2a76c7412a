# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from PIL import Image

from mmwsss.datasets.image_io import read_image, read_image_size

EXIF = ['jpg', 'png', 'tiff', 'webp']


def write(path, orientation=None, size=(30, 50)):
    noise = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(noise).save(path, **({'exif': exif} if orientation else {}))
    return str(path)


@pytest.mark.parametrize('ignore', [False, True])
@pytest.mark.parametrize('suffix', EXIF)
def test_as_the_whole_image(suffix, ignore, tmp_path):
    for orientation in (None, *range(1, 9)):
        path = write(tmp_path / f'{orientation}.{suffix}', orientation)
        assert read_image_size(path, ignore) == read_image(path, ignore).shape[:2]


@pytest.mark.parametrize('suffix', ['bmp', 'gif'])
def test_of_other_formats(suffix, tmp_path):
    assert read_image_size(write(tmp_path / f'photo.{suffix}')) == (30, 50)


@pytest.mark.parametrize('suffix', ['jpg', 'png', 'webp'])
def test_the_header_alone(suffix, tmp_path):
    """Behind it nothing is read, from the disk; other storage gives whole files."""
    path = tmp_path / f'photo.{suffix}'
    write(path, 6, (300, 500))
    assert read_image_size(str(path), backend_args=dict(backend='local')) == (500, 300)
    if suffix == 'webp':
        return
    path.write_bytes(path.read_bytes()[:1000])
    assert read_image_size(str(path)) == (500, 300)
    with pytest.raises(ValueError, match=f'cannot read image .*photo.{suffix}'):
        read_image(str(path))


def test_what_has_none(tmp_path):
    path = tmp_path / 'photo.jpg'
    with pytest.raises(FileNotFoundError, match='photo.jpg'):
        read_image_size(str(path))
    for content in (b'', b'no image'):
        path.write_bytes(content)
        with pytest.raises(ValueError, match='cannot read image .*photo.jpg: it is '
                           'none of BMP'):
            read_image_size(str(path))

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import os

import pytest
from PIL import Image

from mmwsss.datasets.folder import find_images, sort_files
from mmwsss.datasets.image_io import read_image, read_mask
from mmwsss.utils import walk_files
from mmwsss.utils.digest import DigestCache
from mmwsss.utils.image_files import describe_unused


def image(path, colour='red'):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new('RGB', (4, 3), colour).save(path)


@pytest.fixture
def root(tmp_path):
    """Images, some behind links, one of which leads back to its own folder."""
    root = tmp_path / 'photos'
    image(root / 'b.png')
    image(root / 'a' / 'x.jpg')
    image(root / '.hidden' / 'y.jpg')
    image(tmp_path / 'elsewhere' / 'dog.jpg')
    (root / 'dogs').symlink_to(tmp_path / 'elsewhere')
    (root / 'again').symlink_to(tmp_path / 'elsewhere')
    (root / 'a' / 'loop').symlink_to(root)
    return root


FILES = ['b.png', 'a/x.jpg', 'again/dog.jpg', 'dogs/dog.jpg']


def test_links_are_followed_but_not_in_circles(root):
    assert list(walk_files(str(root))) == FILES
    assert sorted(find_images(str(root))) == [
        'a/x', 'again/dog', 'b', 'dogs/dog']


def test_a_change_behind_a_link_is_seen(root, tmp_path):
    before = DigestCache()(str(root))
    assert DigestCache()(str(root)) == before
    image(tmp_path / 'elsewhere' / 'dog.jpg', 'blue')
    assert DigestCache()(str(root)) != before


def test_a_digest_of_what_cannot_be_read(root, tmp_path):
    """Dead links and pipes are no content; one that is mended is."""
    before = DigestCache()(str(root))
    (root / 'dead.png').symlink_to(tmp_path / 'none')
    os.mkfifo(root / 'pipe.png')
    assert DigestCache()(str(root)) == before
    (tmp_path / 'none').write_text('x')
    assert DigestCache()(str(root)) != before


def test_a_pipe_is_not_read(tmp_path):
    os.mkfifo(tmp_path / 'pipe.png')
    for read in (read_image, read_mask):
        with pytest.raises(ValueError, match='pipe.png is no regular file'):
            read(str(tmp_path / 'pipe.png'))


def test_what_is_no_image_is_named(root, monkeypatch):
    names = ('.z.png', 'c.heic', 'd.HEIC', 'e.svg', 'readme')
    for name in names:
        (root / 'a' / name).write_bytes(b'x')
    (root / 'dead.png').symlink_to(root / 'none')
    os.mkfifo(root / 'pipe.png')
    images, others = sort_files(str(root))
    assert len(images) == 4
    assert others == {
        str(root / 'dead.png'): 'dead link', str(root / 'pipe.png'): 'no regular file',
        f'{root / ".hidden"}/': 'hidden', str(root / 'a' / '.z.png'): 'hidden',
        str(root / 'a' / 'c.heic'): '.heic', str(root / 'a' / 'd.HEIC'): '.heic',
        str(root / 'a' / 'e.svg'): '.svg', str(root / 'a' / 'readme'): 'no suffix'}
    said = []
    monkeypatch.setattr('mmwsss.datasets.folder.print_log',
                        lambda text, **_: said.append(text))
    find_images(str(root))
    assert '8 files are not used (2 hidden, 2 .heic, 1 dead link, ' in said[0]
    assert all(path in said[0] for path in others) and 'convert' in said[0]


def test_of_many_files_one_of_each_kind_is_named():
    others = {f'{i}.heic': '.heic' for i in range(30)} | {'z.svg': '.svg'}
    told = describe_unused(others)
    assert told.startswith('31 files are not used (30 .heic, 1 .svg): '
                           '0.heic, z.svg, 1.heic, ')
    assert '8.heic and 21 more. ' in told and '9.heic' not in told
    assert all(name in describe_unused(others, most=31) for name in others)


@pytest.mark.parametrize('suffix', ['gif', 'jfif', 'JPE'])
def test_further_suffixes(tmp_path, suffix):
    image = Image.new('RGB', (4, 3))
    image.save(tmp_path / f'a.{suffix}', 'GIF' if suffix == 'gif' else 'JPEG')
    assert list(find_images(str(tmp_path))) == ['a']

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import pytest
from PIL import Image

from mmwsss.datasets.folder import find_images, sort_files
from mmwsss.recipes.digest import DigestCache
from mmwsss.utils import walk_files


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


def test_what_is_no_image_is_named(root, monkeypatch):
    names = ('c.heic', 'd.HEIC', 'e.svg', 'readme')
    for name in names:
        (root / 'a' / name).write_bytes(b'x')
    images, others = sort_files(str(root))
    assert len(images) == 4
    assert others == [str(root / 'a' / name) for name in names]
    said = []
    monkeypatch.setattr('mmwsss.datasets.folder.print_log',
                        lambda text, **_: said.append(text))
    find_images(str(root))
    assert '4 files are not used (2 .heic, 1 .svg, 1 no suffix' in said[0]
    assert 'a/c.heic' in said[0] and 'convert' in said[0]


@pytest.mark.parametrize('suffix', ['gif', 'jfif', 'JPE'])
def test_further_suffixes(tmp_path, suffix):
    image = Image.new('RGB', (4, 3))
    image.save(tmp_path / f'a.{suffix}', 'GIF' if suffix == 'gif' else 'JPEG')
    assert list(find_images(str(tmp_path))) == ['a']

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import pytest

from mmwsss.utils import (
    MAX_CLASSES,
    atomic_write,
    check_image_ids,
    read_class_names,
    read_id_list,
    with_background,
)

NAMES = ['background', 'cat', 'dog']


@pytest.mark.parametrize('data', [
    b'cat\ndog\n',
    b'background\ncat\ndog',
    b'\xef\xbb\xbfbackground\ncat\ndog',
    b'\xef\xbb\xbfcat\r\ndog\r\n',
    b'Background\ncat\ndog',
    b'# what I look for\ncat\n\n  dog  \n',
    b'\xef\xbb\xbf# classes\r\n BACKGROUND \r\ncat\r\ndog\r\n',
    b'cat\rdog\r',
])
def test_class_lists_mean_the_same(tmp_path, data):
    """Wrong ones are in tests/test_bad_inputs.py."""
    path = tmp_path / 'classes.txt'
    path.write_bytes(data)
    assert read_class_names(str(path)) == NAMES


def test_classes_of_a_config():
    assert with_background(('cat', 'dog')) == NAMES
    assert with_background(NAMES) == NAMES
    with pytest.raises(ValueError, match="classes: 'cat' and 'cat'"):
        with_background(['cat', 'cat'])
    with pytest.raises(ValueError, match='class 2 has no name'):
        with_background(['cat', ' '])


def test_as_many_classes_as_masks_hold():
    names = [f'class {i}' for i in range(MAX_CLASSES)]
    assert len(with_background(names[:-1])) == MAX_CLASSES
    with pytest.raises(ValueError, match='255 classes .* 8 bits, which hold 254'):
        with_background(names)


@pytest.mark.parametrize('image_id', [
    '2007_000027', 'cat/001', 'a b', 'a.b', '..a', '...', 'a..b/c',
    '\u732b', 'a#1', 'a:b', 'x' * 235])
def test_good_ids(image_id, tmp_path):
    check_image_ids([image_id], 'list')
    for suffix in ('.npz', '.png'):
        with atomic_write(str(tmp_path / (image_id + suffix))) as file:
            file.write(b'x')
    assert len([p for p in tmp_path.rglob('*') if p.is_file()]) == 2


@pytest.mark.parametrize('image_id, reason', [
    ('', 'is empty'),
    ('#1', 'lists leave that out'),
    (' a', 'space at an end'),
    ('/tmp/x', 'absolute'),
    ('C:/x', 'absolute'),
    ('../../esc/evil', r"'\.\.'"),
    ('a/../../b', r"'\.\.'"),
    ('./a', 'plain relative'),
    ('a//b', 'empty part'),
    ('a/', 'empty part'),
    ('a\\b', 'backslash'),
    ('a\0b', 'control'),
    ('a\tb', 'control'),
    ('a\udcff', 'control'),
    ('x' * 240, 'longer than'),
    ('\u732b' * 80, 'longer than'),
])
def test_bad_ids(image_id, reason):
    with pytest.raises(ValueError, match=f'list.txt: image id .*{reason}'):
        check_image_ids(['good', image_id], 'list.txt')


@pytest.mark.parametrize('ids', [
    ['cat/001', 'Cat/001'], ['caf\u00e9', 'cafe\u0301'], ['STRASSE', 'stra\xdfe']])
def test_ids_that_are_one_elsewhere(ids):
    with pytest.raises(ValueError, match='are one where case'):
        check_image_ids(ids, 'list.txt')


def test_ids_of_files(tmp_path):
    names = tmp_path / 'train.txt'
    names.write_text('# my images\r\na\r\n\r\nb/c\r\n')
    assert read_id_list(str(names)) == ['a', 'b/c']

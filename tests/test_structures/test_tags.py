# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest
import torch
from mmseg.structures import SegDataSample

from mmwsss.structures import (
    encode_tags,
    load_label_table,
    present_classes,
    read_label_names,
    save_label_table,
    stack_tags,
    strip_image_suffix,
)

CLASSES = ('background', 'cat', 'dog', 'cow')


def write(path, text):
    path.write_text(text, encoding='utf-8')
    return str(path)


def test_encode():
    labels = encode_tags(['cow', 'cat', 'cat'], CLASSES)
    assert labels.dtype == np.uint8
    assert labels.tolist() == [1, 1, 0, 1]
    assert encode_tags([], CLASSES).tolist() == [1, 0, 0, 0]
    with pytest.raises(ValueError, match="'horse'.*background, cat"):
        encode_tags(['horse'], CLASSES)


@pytest.mark.parametrize('name, expected', [
    ('2007_000032', '2007_000032'),
    ('a.JPG', 'a'),
    ('cat/b.webp', 'cat/b'),
    ('v1.5', 'v1.5'),
    ('.jpg', '.jpg'),
    ('cat/..jpg', 'cat/..jpg'),
    ('cat.jpg/b', 'cat.jpg/b'),
    ('.a.Jpeg', '.a'),
])
def test_image_id(name, expected):
    assert strip_image_suffix(name) == expected


def test_table_round_trip(tmp_path):
    path = str(tmp_path / 'new' / 'labels.json')
    table = {'b': ['dog', 'cat'], 'a': [], 'ü/1': ['cow']}
    save_label_table(path, table)
    assert read_label_names(path) == table
    loaded = load_label_table(path, CLASSES)
    assert list(loaded) == ['b', 'a', 'ü/1']
    assert loaded['b'].tolist() == [1, 1, 1, 0]
    assert loaded['a'].tolist() == [1, 0, 0, 0]
    assert [p.name for p in (tmp_path / 'new').iterdir()] == ['labels.json']


@pytest.mark.parametrize('text', [
    'a.jpg,cat,dog\nb.png,cow\nc,\n',
    'image,tags\na,cat;dog\n\nb,cow\nc\n',
    '\ufeffid,tag,tag\r\na, cat ,dog\r\nb,cow,\r\nc,,\r\n',
])
def test_csv(tmp_path, text):
    path = write(tmp_path / 'tags.csv', text)
    assert read_label_names(path) == {'a': ['cat', 'dog'], 'b': ['cow'],
                                      'c': []}


def test_unknown_class_names_file_id_and_class(tmp_path):
    path = write(tmp_path / 'labels.json', '{"a": ["cat"], "b": ["unicorn"]}')
    with pytest.raises(ValueError, match="labels.json: image 'b'.*'unicorn'"):
        load_label_table(path, CLASSES)
    loaded = load_label_table(path, CLASSES, ignored=('unicorn', 'cat'))
    assert loaded['b'].tolist() == [1, 0, 0, 0]
    # A class that is asked for is never ignored.
    assert loaded['a'].tolist() == [1, 1, 0, 0]


def test_stack_tags():
    samples = []
    for names in (['cat'], ['dog', 'cow'], []):
        labels = encode_tags(names, CLASSES)
        samples.append(SegDataSample(metainfo=dict(tags=labels)))
    stacked = stack_tags(samples)
    assert stacked.dtype == torch.float32
    assert stacked.tolist() == [[1, 0, 0], [0, 1, 1], [0, 0, 0]]
    samples.append(SegDataSample(metainfo=dict(img_path='x/y.jpg')))
    with pytest.raises(ValueError, match='x/y.jpg has no image labels'):
        stack_tags(samples)
    with pytest.raises(ValueError, match='4 classes.*num_classes=7'):
        stack_tags(samples[:2], num_classes=7)


def test_present_classes():
    """Labels first, then probabilities, else all."""
    meta = dict(tags=np.array([1, 0, 1, 0], np.uint8), img_path='x.jpg')
    probabilities = torch.tensor([.9, .4, .5])
    assert present_classes(meta, 4, probabilities, .5).tolist() == [
        False, True, False]
    assert present_classes({}, 4, probabilities, .5).tolist() == [
        True, False, False]
    for arguments in ((), (probabilities, ), (None, .5)):
        assert present_classes({}, 4, *arguments).all()
    with pytest.raises(ValueError, match='x.jpg.*4 classes.*num_classes=3'):
        present_classes(meta, 3)

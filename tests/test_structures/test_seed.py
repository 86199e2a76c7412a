# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import os

import pytest
import torch

from mmwsss.structures import Seed, to_image_size
from mmwsss.structures.seed import strided_size


def make_seed(labels=(3, 1), size=(13, 18), **kwargs):
    scores = torch.rand(len(labels), *strided_size(size))
    return Seed(scores, labels, size, **kwargs)


def test_strided_size_keeps_every_fourth_pixel():
    for size in [(1, 1), (4, 5), (5, 8), (375, 500)]:
        image = torch.zeros(size)
        assert strided_size(size) == tuple(image[::4, ::4].shape)


def test_upsample():
    seed = make_seed()
    assert torch.equal(seed.upsample(), to_image_size(seed.scores, seed.size))


def test_upsample_stays_in_range():
    seed = Seed(torch.ones(1, *strided_size((97, 61))), [1], (97, 61))
    assert seed.upsample().max() <= 1


def test_to_mask():
    scores = torch.tensor([[[.2, .5, .4, .1]], [[.2, .5, .6, .1]]])
    mask = Seed(scores, (7, 3), (1, 4)).to_mask(0.2)
    assert mask.dtype == torch.uint8
    # A tie with the threshold is background, one of classes is the first's.
    assert mask.tolist() == [[0, 7, 3, 0]]


def test_with_background():
    scores = torch.rand(2, 5, 6)
    background = torch.rand(5, 6)
    seed = Seed(scores, (1, 2), (5, 6), background)
    assert torch.equal(seed.with_background()[0], background)
    assert torch.equal(seed.with_background()[1:], scores)
    assert (seed.with_background(bg_thr=.3)[0] == .3).all()
    expected = (1 - scores.max(0).values)**4
    torch.testing.assert_close(seed.with_background(alpha=4)[0], expected)
    with pytest.raises(ValueError, match='not both'):
        seed.with_background(.3, 4)
    with pytest.raises(ValueError, match='no background'):
        make_seed().with_background()


def test_no_class():
    seed = make_seed(labels=())
    assert seed.upsample().shape == (0, 13, 18)
    assert not seed.to_mask(0.1).any()
    assert (seed.with_background(alpha=8) == 1).all()


@pytest.mark.parametrize('with_background', [False, True])
@pytest.mark.parametrize('labels', [(), (3, 1)])
def test_round_trip(tmp_path, labels, with_background):
    background = torch.rand(4, 5) if with_background else None
    seed = make_seed(labels, background=background)
    path = tmp_path / 'deep' / 'a.npz'
    seed.save(path)
    read = Seed.load(path)
    assert read.size == seed.size
    assert read.labels.tolist() == list(labels)
    assert torch.equal(read.scores, seed.scores.half().float())
    if with_background:
        assert torch.equal(read.background, background.half().float())
    else:
        assert read.background is None
    assert [file.name for file in path.parent.iterdir()] == ['a.npz']


def test_equal_bytes(tmp_path, monkeypatch):
    seed = make_seed()
    seed.save(tmp_path / 'a.npz')
    monkeypatch.setattr('time.time', lambda: 2e9)
    seed.save(tmp_path / 'b.npz')
    assert (tmp_path / 'a.npz').read_bytes() == (
        tmp_path / 'b.npz').read_bytes()


@pytest.mark.parametrize('scores, labels, size, message', [
    (torch.rand(4, 5), [1], (13, 18), r'\(K, h, w\)'),
    (torch.rand(1, 3, 5), [1], (13, 18), r'\(4, 5\)'),
    (torch.rand(2, 4, 5), [1], (13, 18), '2 integers'),
    (torch.rand(1, 4, 5), [0], (13, 18), '1..254'),
    (torch.rand(1, 4, 5), [255], (13, 18), '1..254'),
    (torch.rand(2, 4, 5), [1, 1], (13, 18), 'different'),
    (torch.rand(1, 4, 5), [.5], (13, 18), 'integers'),
    (torch.rand(1, 4, 5) + 1, [1], (13, 18), r'\[0, 1\]'),
    (torch.full((1, 4, 5), torch.nan), [1], (13, 18), 'nan'),
    (torch.rand(1, 4, 5), [1], (13, ), 'size'),
])
def test_bad_input(scores, labels, size, message):
    with pytest.raises(ValueError, match=message):
        Seed(scores, labels, size)


def test_bad_background():
    with pytest.raises(ValueError, match='background'):
        make_seed(background=torch.rand(3, 5))


@pytest.mark.skipif(not hasattr(os, 'mkfifo'), reason='no pipes')
def test_a_pipe_is_not_waited_on(tmp_path):
    os.mkfifo(tmp_path / 'x.npz')
    with pytest.raises(ValueError, match=r'x\.npz is no regular file'):
        Seed.load(str(tmp_path / 'x.npz'))

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import os
import time

import pytest
import torch

from mmwsss.utils.digest import MISSING, DigestCache, digest_checkpoint


def write(path, text, age=10):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    then = time.time() - age
    os.utime(path, (then, then))


def test_follows_content_not_dates(tmp_path):
    digest = DigestCache()
    write(tmp_path / 'a', 'one')
    first = digest(tmp_path / 'a')
    write(tmp_path / 'a', 'one', age=1000)
    assert digest(tmp_path / 'a') == first
    write(tmp_path / 'a', 'two')
    assert digest(tmp_path / 'a') != first
    assert digest(tmp_path / 'none') == MISSING


def test_folder_is_names_and_contents(tmp_path):
    digest = DigestCache()
    write(tmp_path / 'x/a', 'one')
    write(tmp_path / 'x/deep/b', 'two')
    write(tmp_path / 'y/a', 'one')
    write(tmp_path / 'y/deep/b', 'two')
    first = digest(tmp_path / 'x')
    assert digest(tmp_path / 'y') == first
    write(tmp_path / 'x/.b.png.123.tmp', 'unfinished')
    assert digest(tmp_path / 'x') == first
    os.rename(tmp_path / 'x/a', tmp_path / 'x/c')
    assert digest(tmp_path / 'x') != first


def test_cache_notices_equal_size_and_restored_time(tmp_path):
    path = tmp_path / 'a'
    write(path, 'one')
    time.sleep(2.1)  # old enough to be remembered
    digest = DigestCache(str(tmp_path / 'cache.json'))
    first = digest(path)
    digest.save()
    digest = DigestCache(str(tmp_path / 'cache.json'))
    assert str(path) in digest._known
    before = os.stat(path)
    path.write_text('two')
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert digest(path) != first


def test_young_files_are_not_remembered(tmp_path):
    digest = DigestCache(str(tmp_path / 'cache.json'))
    write(tmp_path / 'a', 'one', age=0)
    digest(tmp_path / 'a')
    assert not digest._known


@pytest.mark.parametrize('content', [
    '{"half', '[]', '3', 'null', '', '{"PATH": 7}', '{"PATH": []}', '{"PATH": ["x"]}',
    '{"PATH": {"a": 1}}', '\udcff\udc80'])
def test_damaged_cache_is_ignored(tmp_path, content):
    path = tmp_path / 'a'
    write(path, 'one')
    (tmp_path / 'cache.json').write_bytes(
        content.replace('PATH', str(path)).encode(errors='surrogateescape'))
    digest = DigestCache(str(tmp_path / 'cache.json'))
    assert digest(path) == DigestCache()(path)


@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16, torch.int64])
def test_checkpoint_is_its_weights(tmp_path, dtype):

    def save(name, value, date, **meta):
        path = str(tmp_path / name)
        weights = {'w': torch.full((2, 3), value, dtype=dtype), 'n': torch.tensor(1)}
        torch.save(
            dict(state_dict=weights, meta=dict(time=date, **meta),
                 optimizer=dict(step=len(date))), path)
        return digest_checkpoint(path)

    first = save('a.pth', 1, 'monday')
    assert save('b.pth', 1, 'tuesday') == first
    assert save('c.pth', 2, 'monday') != first
    assert save('d.pth', 1, 'monday', stage='expand') != first


def test_no_checkpoint_is_hashed_as_bytes(tmp_path):
    write(tmp_path / 'a.pth', 'no checkpoint')
    write(tmp_path / 'b.pth', 'another')
    digest = DigestCache()
    assert digest(tmp_path / 'a.pth') != digest(tmp_path / 'b.pth')

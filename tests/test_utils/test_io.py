# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import errno
import os

import pytest

from mmwsss.utils import atomic_write, read_json, write_json


def full_disk(*args):
    raise OSError(errno.ENOSPC, 'No space left on device')


def test_round_trip(tmp_path):
    path = str(tmp_path / 'new' / 'a.json')
    write_json(path, dict(a=[1]))
    assert read_json(path) == dict(a=[1])
    assert os.listdir(tmp_path / 'new') == ['a.json']
    umask = os.umask(0)
    os.umask(umask)
    assert os.stat(path).st_mode & 0o777 == 0o666 & ~umask


@pytest.mark.parametrize('step', ['fsync', 'replace'])
def test_full_disk_keeps_the_old_file(tmp_path, monkeypatch, step):
    path = tmp_path / 'a.txt'
    path.write_text('old')
    monkeypatch.setattr(os, step, full_disk)
    with pytest.raises(OSError, match='cannot write .*a.txt.*No space') as raised:
        with atomic_write(str(path), 'w') as file:
            file.write('new')
    assert raised.value.errno == errno.ENOSPC
    assert path.read_text() == 'old' and os.listdir(tmp_path) == ['a.txt']


def test_failure_while_writing_leaves_nothing(tmp_path):
    with pytest.raises(ZeroDivisionError):
        with atomic_write(str(tmp_path / 'a')) as file:
            file.write(b'half')
            1 / 0  # noqa: B018
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(os.geteuid() == 0, reason='root writes everywhere')
def test_read_only_folder(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OSError, match='cannot write .*/a:.*Permission'):
        with atomic_write(str(tmp_path / 'a')):
            pass
    tmp_path.chmod(0o700)


def test_folder_that_is_a_file(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(OSError, match='cannot write .*file/a'):
        write_json(str(tmp_path / 'file' / 'a'), 1)

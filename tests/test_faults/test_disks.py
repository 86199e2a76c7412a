# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Disks that are full, read-only, out of inodes or slow, and clocks that go back.

One clear sentence names what could not be done, what was written stays as it was, and
the next run ends in the same files.
"""

import errno
import os
import re
import resource
import subprocess
from pathlib import Path

import pytest
from fault_runs import Ended, Fault, SmallRun
from forked_runs import can_mount, run_forked
from run_content import content, differences, files

needs_mount = pytest.mark.skipif(
    not can_mount(), reason='this user may not mount a small file system')


@pytest.fixture(scope='module')
def whole(scenes, tmp_path_factory):
    """The unbroken run."""
    small = SmallRun('seeds', scenes, tmp_path_factory.mktemp('whole'))
    ended = run_forked(small)
    assert ended.code == 0, ended.said
    return small


@pytest.fixture
def small(scenes, tmp_path):
    return SmallRun('seeds', scenes, tmp_path)


@pytest.fixture
def mount(small):
    """Mount the work folder, or change its mount, by options of tmpfs."""
    folder = Path(small.work_dir)
    folder.mkdir()
    mounted = []

    def change(options: str) -> None:
        remount = ['-o', 'remount'] if mounted else []
        subprocess.run(['mount', '-t', 'tmpfs', *remount, '-o', options, 'tmpfs',
                        str(folder)], check=True)
        mounted.append(options)

    yield change
    if mounted:
        subprocess.run(['umount', '-l', str(folder)], check=True)


CHANGES = (r'ledger/.*|summary\..*|.*/last_checkpoint|.*/\.made_from\.json'
           r'|train_\w+/iter_\d+\.pth')
"""What a run itself changes or removes."""


def contents(folder: str) -> dict[str, object]:
    return {name: content(path, folder) for name, path in files(folder).items()}


def assert_said_and_kept(ended: Ended, small: SmallRun, why: str,
                         before: dict[str, object]) -> None:
    """One sentence says which file could not be written, and why; others stay."""
    assert ended.code in (1, 2), ended.said
    assert 'Traceback' not in ended.said, ended.said
    said = [line for line in ended.said.splitlines()
            if re.match('[eE]rror: ', line) and small.work_dir in line
            and re.search(why, line)]
    assert len(said) == 1, ended.said
    now = contents(small.work_dir)
    for name, value in before.items():
        if not re.fullmatch(CHANGES, name):
            assert name in now and not list(
                differences(now[name], value, name)), name


def run_to_the_end(small: SmallRun, whole: SmallRun, why: str, limits: list,
                   run) -> list[Ended]:
    """Run under one limit after the other, until one lets the run end."""
    failed = []
    for limit in limits:
        before = contents(small.work_dir)
        ended = run(limit)
        if ended.code == 0:
            break
        assert_said_and_kept(ended, small, why, before)
        failed.append(ended)
    assert ended.code == 0, ended.said
    assert len({ended.said for ended in failed}) == len(failed) > 1
    small.assert_equals(whole)
    return failed


@needs_mount
@pytest.mark.parametrize('option, why, limits', [
    ('size', 'No space left on device', ('8k', '64k', '2m', '9m', '20m', '200m')),
    ('nr_inodes', 'No space left on device', (3, 7, 12, 24, 34, 40, 46, 1000)),
])
def test_full_disk(small, whole, mount, option, why, limits):

    def run(limit):
        mount(f'{option}={limit}')
        return run_forked(small)

    run_to_the_end(small, whole, why, limits, run)


@needs_mount
def test_read_only_disk(small, whole, mount):
    mount('size=200m')
    assert run_forked(small, Fault('open train_localizer/.iter_4.pth.tmp',
                                   options=dict(raises=errno.EIO))).reached
    before = contents(small.work_dir)
    mount('ro')
    assert_said_and_kept(
        run_forked(small), small, os.strerror(errno.EROFS), before)
    mount('rw')
    ended = run_forked(small)
    assert ended.code == 0, ended.said
    small.assert_equals(whole)


def test_files_of_limited_size(small, whole):
    """What a user without rights can try of a disk on which writing fails."""

    def run(limit):
        return run_forked(small, prepare=lambda: resource.setrlimit(
            resource.RLIMIT_FSIZE, (limit, limit)))

    run_to_the_end(small, whole, 'File too large',
                   [1 << 16, 1 << 19, 1 << 21, 1 << 30], run)


FAULTS = [
    Fault('open ledger/.train_localizer.json.tmp'),
    Fault('open train_localizer/.iter_4.pth.tmp'),
    Fault('rename train_localizer/last_checkpoint', 2),
    Fault('open seeds_shrink/.train_00001.npz.tmp'),
    Fault('rename ledger/seeds_shrink.json', 2),
    None,
]


@pytest.mark.parametrize('number', [errno.ENOSPC, errno.EROFS])
def test_errors_of_the_disk(small, whole, number):
    """Creating a file fails, from some write on, as if there were no inode left, or
    as when the system makes a damaged disk read-only."""

    def run(fault):
        if fault is not None:
            fault = Fault(fault.at, fault.number, options=dict(raises=number))
        ended = run_forked(small, fault)
        assert ended.reached == (fault is not None)
        return ended

    run_to_the_end(small, whole, re.escape(os.strerror(number)), FAULTS, run)


def test_slow_disk(small, whole):
    """Every change of a file takes its time."""
    ended = run_forked(small, Fault(options=dict(pause=0.03)))
    assert ended.code == 0, ended.said
    small.assert_equals(whole)


def test_clock_goes_back(small, whole):
    """A training goes on a day before it began."""
    fault = Fault('open train_localizer/.iter_8.pth.tmp',
                  options=dict(raises=errno.EIO))
    assert run_forked(small, fault).reached
    ended = run_forked(small, Fault(options=dict(clock=-86400.)))
    assert ended.code == 0, ended.said
    small.assert_equals(whole)


def test_killed_while_importing(small, whole):
    for at, whom in (('mmwsss.recipes', 'parent'), ('torch', 'tree'),
                     ('mmseg', 'parent'), ('mmpretrain', 'child')):
        ended = small.run(Fault(f'import {at}', kill=whom))
        assert ended.reached and ended.code != 0
    ended = run_forked(small)
    assert ended.code == 0, ended.said
    small.assert_equals(whole)

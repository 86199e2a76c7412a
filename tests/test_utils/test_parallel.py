# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import os
import signal
import subprocess
import sys
import time

import pytest
import torch

from mmwsss.utils.parallel import WorkerPool, map_in_forks, track_progress


def setup(offset):
    def work(item):
        if item == 'die':
            os._exit(1)
        if item == 'threads':
            return torch.get_num_threads(), os.environ['OMP_NUM_THREADS']
        return os.getpid(), item + offset

    return work


@pytest.mark.parametrize('jobs', [0, 2])
def test_results_in_order(jobs):
    with WorkerPool(jobs, setup, 10) as pool:
        results = list(pool.map(range(30)))
    assert [value for _, value in results] == list(range(10, 40))
    workers = {process for process, _ in results}
    assert (os.getpid() in workers) == (jobs == 0)


def test_errors_and_deaths():
    with WorkerPool(1, setup, 10) as pool:
        assert list(pool.map(['threads'])) == [(1, '1')]
        with pytest.raises(TypeError):
            list(pool.map([1, 'text']))
        with pytest.raises(ChildProcessError, match='worker process died'):
            list(pool.map(['die']))
    with pytest.raises(ValueError, match='jobs'):
        WorkerPool(-1, setup, 10)


def test_forks():
    doubled = list(map_in_forks(double, range(50), 2, chunksize=3))
    assert [value for value, _ in doubled] == [2 * i for i in range(50)]
    assert os.getpid() not in {process for _, process in doubled}
    with pytest.raises(TypeError):
        list(map_in_forks(double, [None], 1))
    with pytest.raises(ChildProcessError, match='worker process died'):
        list(map_in_forks(double, [1, 'die', 2], 1))


def double(item):
    if item == 'die':
        os._exit(1)
    return 2 * item, os.getpid()


SCRIPT = """
import os, sys, time
sys.path.insert(0, {folder!r})
from test_parallel import setup
from mmwsss.utils.parallel import WorkerPool

if __name__ == '__main__':
    pool = WorkerPool(1, setup, 0)
    pool.submit(0)
    print(pool.finish()[0][0], flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != 'linux', reason='looks into /proc')
def test_workers_end_with_a_killed_parent(tmp_path):
    script = tmp_path / 'script.py'
    script.write_text(SCRIPT.format(folder=os.path.dirname(__file__)))
    parent = subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, text=True,
        env=dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path)))
    # Imported packages may print, too.
    worker = int(next(line for line in parent.stdout if line.strip().isdigit()))
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    for _ in range(300):
        if not is_running(worker):
            return
        time.sleep(.1)
    os.kill(worker, signal.SIGKILL)
    pytest.fail('the worker outlived its parent')


def is_running(process):
    try:
        with open(f'/proc/{process}/stat') as file:
            state = file.read().rsplit(')', 1)[1].split()[0]
    except FileNotFoundError:
        return False
    # In a container nobody may collect the orphan's exit status.
    return state not in 'ZX'


def test_progress(capsys):
    assert list(track_progress(iter('abc'), 3)) == ['a', 'b', 'c']
    assert '3/3' in capsys.readouterr().out
    assert list(track_progress([], 0)) == []

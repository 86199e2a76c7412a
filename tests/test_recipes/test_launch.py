# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import os
import signal
import sys

import pytest

from mmwsss.recipes.launch import launch
from mmwsss.recipes.process import Interrupted, stop_on_signals


def test_one_process():
    assert launch('t.py', ['c.py']) == [sys.executable, 't.py', 'c.py']


def test_torchrun():
    command = launch('t.py', ['c.py'], 'pytorch', 4)
    assert command[1:4] == ['-m', 'torch.distributed.run', '--standalone']
    assert command[4:] == ['--nproc_per_node=4', 't.py', 'c.py', '--launcher',
                           'pytorch']


def test_slurm(monkeypatch):
    monkeypatch.setenv('PARTITION', 'gpu')
    monkeypatch.setenv('GPUS_PER_NODE', '4')
    monkeypatch.setenv('SRUN_ARGS', '--time 1:00 --account=a')
    command = launch('t.py', ['c.py'], 'slurm', 8, 'job')
    assert command[:3] == ['srun', '-p', 'gpu']
    assert {'--gres=gpu:4', '--ntasks=8', '--ntasks-per-node=4', '--time', '1:00',
            '--account=a', '--job-name=job'} <= set(command)
    assert command[-4:] == ['t.py', 'c.py', '--launcher', 'slurm']


def test_wrong():
    with pytest.raises(ValueError, match='2 processes need a launcher'):
        launch('t.py', [], 'none', 2)
    with pytest.raises(ValueError, match="got 'ssh'"):
        launch('t.py', [], 'ssh')


def test_a_hangup_that_is_ignored_stays_ignored():
    """As under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stop_on_signals():
            os.kill(os.getpid(), signal.SIGHUP)
            with pytest.raises(Interrupted, match='SIGTERM'):
                os.kill(os.getpid(), signal.SIGTERM)
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        with pytest.raises(Interrupted, match='SIGHUP'), stop_on_signals():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import os

import pytest
from fault_runs import Moment, SmallRun
from filelock import FileLock
from tool_runner import run_tool

from mmwsss.utils import read_json, write_json


@pytest.fixture(scope='session')
def shared(tmp_path_factory):
    """A folder that all processes of this test session share."""
    folder = tmp_path_factory.getbasetemp()
    if 'PYTEST_XDIST_WORKER' in os.environ:
        folder = folder.parent
    folder = folder / 'faults'
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope='session')
def scenes(shared):
    """Three generated scenes to train on and two to test on."""
    root = shared / 'scenes'
    with FileLock(shared / 'scenes.lock'):
        if not root.exists():
            run_tool('dataset_converters/make_demo_data', '--out', root, '--num-train',
                     3, '--num-val', 2, '--size', 48)
    return root


@pytest.fixture(scope='session')
def unbroken(shared, scenes):
    """The unbroken run of a small recipe, and its moments."""

    def run(name: str, processes: int = 1) -> tuple[SmallRun, list[Moment]]:
        folder = shared / f'{name}_{processes}'
        told = str(shared / f'{name}_{processes}.json')
        with FileLock(f'{folder}.lock'):
            whole = SmallRun(name, scenes, folder, processes)
            if not os.path.exists(told):
                write_json(told, [vars(moment) for moment in whole.moments()])
        return whole, [Moment(**moment) for moment in read_json(told)]

    return run

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import os
from argparse import Namespace

import pytest

from mmwsss.utils import read_lines, write_lines
from mmwsss.utils.arguments import ToolParser, choose_work_dir, run_tool


@pytest.mark.parametrize('error, errors, raised, said', [
    (FileNotFoundError('no photo'), (), SystemExit, '^error: no photo$'),
    (ImportError('no numba'), (ImportError, ), SystemExit, '^error: no numba$'),
    (ImportError('no numba'), (), ImportError, 'no numba'),
])
def test_faults_of_others_are_one_line(error, errors, raised, said):

    def main(args):
        raise error

    with pytest.raises(raised, match=said):
        run_tool(Namespace, main, *errors)


def test_exit_status():
    assert run_tool(Namespace, lambda args: None) is None
    with pytest.raises(SystemExit, match='^1$'):
        run_tool(Namespace, lambda args: 1)


def test_launcher_tells_the_rank(monkeypatch):
    monkeypatch.setattr(os, 'environ', {})
    parser = ToolParser('What it does.')
    parser.add_launcher()
    assert parser.parse_args(['--local-rank', '3']).launcher == 'none'
    assert os.environ['LOCAL_RANK'] == '3'
    # torchrun says it by the environment.
    parser.parse_args([])
    assert os.environ['LOCAL_RANK'] == '3'


def test_work_dir():
    args = Namespace(work_dir=None, config='configs/cam/cam.py')
    assert choose_work_dir(args, {}) == os.path.join('work_dirs', 'cam')
    assert choose_work_dir(args, dict(work_dir='a')) == 'a'
    args.work_dir = 'b'
    assert choose_work_dir(args, dict(work_dir='a')) == 'b'


def test_lines(tmp_path):
    path = str(tmp_path / 'new' / 'list.txt')
    write_lines(path, ['a', 'é b'])
    assert read_lines(path) == ['a', 'é b']

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import os
from argparse import Namespace

import pytest

from mmwsss.utils import read_lines, write_lines
from mmwsss.utils.arguments import ToolParser, _read_option, choose_work_dir


def test_launcher_tells_the_rank(monkeypatch):
    monkeypatch.setattr(os, 'environ', {})
    parser = ToolParser('What it does.')
    parser.add_launcher()
    assert parser.parse_args(['--local-rank', '3']).launcher == 'none'
    assert os.environ['LOCAL_RANK'] == '3'
    # torchrun says it by the environment.
    parser.parse_args([])
    assert os.environ['LOCAL_RANK'] == '3'


def test_nothing_is_made_from_itself(tmp_path, capsys):
    parser = ToolParser('What it does.')
    parser.add_argument('src')
    parser.add_argument('dst')
    (tmp_path / 'link').symlink_to(tmp_path)
    assert parser.parse_args(['a.pth', 'b.pth']).dst == 'b.pth'
    with pytest.raises(SystemExit):
        parser.parse_args([f'{tmp_path}/a.pth', f'{tmp_path}/link/a.pth'])
    assert 'link/a.pth would replace what it is made from' in capsys.readouterr().err


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


@pytest.mark.parametrize('option, expected', [
    ("a.b=dict(type='X', c=[1, dict(d=None)])",
     {'a.b': dict(type='X', c=[1, dict(d=None)])}),
    ("a=[dict(type='L'),dict(type='T', x=-1.5)]",
     {'a': [dict(type='L'), dict(type='T', x=-1.5)]}),
    ("a={'b': dict(c=True)}", {'a': {'b': dict(c=True)}}),
])
def test_options_as_in_a_config(option, expected):
    parser = ToolParser('What it does.')
    parser.add_cfg_options()
    args = parser.parse_args(['--cfg-options', 'x=1', option, 'y=a,b'])
    assert args.cfg_options == {'x': 1, **expected, 'y': ['a', 'b']}


@pytest.mark.parametrize('option', [
    'a=dict(b=open("x"))', 'a=dict(1)', 'a=dict(b=', 'a=dict(**b)', 'a=dict(b=c)'])
def test_options_run_nothing(option, capsys):
    parser = ToolParser('What it does.')
    parser.add_cfg_options()
    with pytest.raises(SystemExit):
        parser.parse_args(['--cfg-options', option])
    assert 'error: argument --cfg-options' in capsys.readouterr().err


def test_an_unquoted_string_is_named():
    with pytest.raises(ValueError, match='^x is no value; write strings in quotes'):
        _read_option('steps.r.sections=[dict(title=x)]')

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import os
import signal
import subprocess
import sys
import time
from argparse import Namespace

import pytest
from mmseg.registry import MODELS

from mmwsss.utils import project_path
from mmwsss.utils.entry_point import TRACEBACK, run_tool

ROOT = os.path.dirname(project_path('tools'))


def end(error, capsys):
    """Exit status and message of a tool that fails."""

    def main(args):
        raise error

    with pytest.raises(SystemExit) as ended:
        run_tool(Namespace, main)
    return ended.value.code, capsys.readouterr().err


@pytest.mark.parametrize('error', [
    ValueError('a.csv: wrong\nrow 3'), FileNotFoundError('a.csv: wrong\nrow 3'),
    ImportError('a.csv: wrong row 3')])
def test_errors_of_users(error, capsys):
    assert end(error, capsys) == (2, 'error: a.csv: wrong row 3\n')


def test_traceback_on_request(capsys, monkeypatch):
    monkeypatch.setenv(TRACEBACK, '1')
    assert 'Traceback' in end(ValueError('x'), capsys)[1]


def run(script, unbuffered=False, arguments=(), **streams):
    """Exit status and standard error of a tool of one's own."""
    env = dict(os.environ, PYTHONPATH=ROOT)
    env.pop('PYTHONUNBUFFERED', None)
    if unbuffered:
        env['PYTHONUNBUFFERED'] = '1'
    script = ('from argparse import Namespace\n'
              'from mmwsss.utils.entry_point import run_tool\n' + script)
    streams = {'stderr': subprocess.PIPE, **streams}
    done = subprocess.run([sys.executable, '-c', script, *arguments], env=env,
                          text=True, **streams)
    return done.returncode, done.stderr


HELP = '''
from mmwsss.utils.arguments import ToolParser
run_tool(ToolParser('A tool.').parse_args, print)
'''
PRINT = 'run_tool(Namespace, lambda args: print("x"))'


@pytest.mark.skipif(not os.path.exists('/dev/full'), reason='no /dev/full')
@pytest.mark.parametrize('unbuffered', [False, True])
def test_a_full_disk(unbuffered):
    """Where even the sentence finds no place, or what a tool prints."""
    with open('/dev/full', 'w') as full:
        assert run('run_tool(Namespace, lambda args: int("x"))', unbuffered,
                   stderr=full) == (2, None)
        status, error = run(PRINT, unbuffered, stdout=full)
    assert (status, error) == (2, 'error: [Errno 28] No space left on device\n')


@pytest.mark.parametrize('script, unbuffered', [
    (PRINT, False), (PRINT, True), (HELP, False)])
def test_a_reader_that_leaves(script, unbuffered):
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, 'w') as pipe:
        assert run(script, unbuffered, ['--help'], stdout=pipe) == (141, '')


@pytest.mark.skipif(not os.path.exists('/dev/full'), reason='no /dev/full')
def test_help_on_a_full_disk():
    with open('/dev/full', 'w') as full:
        assert run(HELP, arguments=['--help'], stdout=full) == (
            2, 'error: [Errno 28] No space left on device\n')
        assert run(HELP, arguments=['--nosuch'], stderr=full) == (2, None)


@pytest.mark.parametrize('closed', [(1,), (2,), (0, 1, 2), (0, 2)])
def test_closed_streams(closed, tmp_path):
    """What is printed then, by other programs too, gets into no file."""
    script = '''
import os, sys
def main(args):
    with open('result', 'w') as file:
        file.write('whole')
        file.flush()
        assert file.fileno() > 2
        print('printed')
        print('printed', file=sys.stderr)
        os.system('echo printed; echo printed >&2; read line')
    return len(sys.stdin.read())
run_tool(Namespace, main)
'''
    status, error = run(script, cwd=tmp_path, stdin=subprocess.DEVNULL,
                        stdout=subprocess.DEVNULL,
                        preexec_fn=lambda: [os.close(number) for number in closed])
    assert (status, error) == (0, '' if 2 in closed else 'printed\nprinted\n')
    assert (tmp_path / 'result').read_text() == 'whole'


def test_errors_of_workers(capsys):
    error = ValueError('Caught ValueError in DataLoader worker process 0.\n'
                       'Original Traceback (most recent call last):\n  File "x"\n'
                       'ValueError: a.png: broken\n')
    assert end(error, capsys) == (2, 'error: a.png: broken\n')


def test_ctrl_c(capsys):
    assert end(KeyboardInterrupt(), capsys) == (130, 'stopped by Ctrl-C\n')


@pytest.mark.parametrize('config, said', [
    (dict(type='ESOLHeat'), 'ESOLHeat is not in the mmseg::model registry'),
    (dict(type='SegDataPreProcessor', sice=2), "argument 'sice'"),
    # Through **kwargs.
    (dict(type='CAMHead', in_channels=2, num_classes=2, chanels=2),
     "argument 'chanels'"),
    (dict(type='CAMHead', num_classes=2), "argument: 'in_channels'"),
    (dict(in_channels=2), 'must contain the key "type"'),
])
def test_a_config_that_cannot_be_built(config, said, capsys):
    with pytest.raises(SystemExit, match='2'):
        run_tool(Namespace, lambda args: MODELS.build(config))
    error = capsys.readouterr().err
    assert error.startswith('error: ') and error.count('\n') == 1
    assert said in error


@pytest.mark.parametrize('error', [KeyError('x'), TypeError('x'), RuntimeError('x')])
def test_faults_of_the_program(error):
    def main(args):
        raise error

    with pytest.raises(type(error)):
        run_tool(Namespace, main)


def test_status():
    assert run_tool(Namespace, lambda args: None) is None
    assert run_tool(Namespace, lambda args: 0) is None
    with pytest.raises(SystemExit, match='1'):
        run_tool(Namespace, lambda args: 1)


def test_ctrl_c_that_becomes_another_error(capsys):
    """As in compiled modules that are imported just then."""

    def main(args):
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise ImportError('numpy failed to import') from None

    # A test run in the background ignores it.
    outside = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(SystemExit, match='130'):
            run_tool(Namespace, main)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, outside)
    assert capsys.readouterr().err == 'stopped by Ctrl-C\n'


def test_ctrl_c_while_importing(tmp_path):
    """Long before the tool could begin; nothing was written."""
    process = subprocess.Popen(
        [sys.executable, project_path('tools', 'train.py'),
         project_path('configs', 'cam', 'cam_demo.py'), '--work-dir',
         str(tmp_path / 'run')],
        stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        env=dict(os.environ, PYTHONPATH=os.path.dirname(project_path('tools'))))
    deadline = time.monotonic() + 60
    # torch's library is mapped while torch is being imported.
    while time.monotonic() < deadline:
        with open(f'/proc/{process.pid}/maps', encoding='utf-8') as maps:
            if 'libtorch' in maps.read():
                break
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    error = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert error.splitlines()[-1] == 'stopped by Ctrl-C'
    assert 'Traceback' not in error
    assert not (tmp_path / 'run').exists()

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Ctrl-C while a program is still being imported: a word, at any moment."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mmwsss.utils import project_path

ROOT = Path(project_path('tools')).parent
PROGRAMS = sorted(
    str(path.relative_to(ROOT))
    for folder in ('tools', 'demo', 'projects')
    for path in (ROOT / folder).rglob('*.py')
    if 'run_tool(' in path.read_text(encoding='utf-8'))

# Runs a program in forks of one process: each meets Ctrl-C at another import.
FORKS = """
import json, os, runpy, signal, sys

class Interrupt:
    def __init__(self, moment):
        self.moment, self.count = moment, 0

    def find_spec(self, name, path=None, target=None):
        if 'mmwsss.ctrl_c' in sys.modules and name != 'signal':
            self.count += 1
            if self.count == self.moment:
                os.kill(os.getpid(), signal.SIGINT)

program, moments = sys.argv[1], json.loads(sys.argv[2])
handler = signal.SIG_IGN if sys.argv[3] == 'ignored' else signal.default_int_handler
sys.argv = [program, '--help']
sys.path.insert(0, os.path.dirname(os.path.abspath(program)))
signal.signal(signal.SIGINT, handler)
sys.stdout.flush()
for moment in moments:
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.dup2(write, 2)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        hook = Interrupt(moment)
        sys.meta_path.insert(0, hook)
        try:
            if program == 'mmwsss':
                runpy.run_module('mmwsss', run_name='__main__', alter_sys=True)
            runpy.run_path(program, run_name='__main__')
        finally:
            print('imports:', hook.count, file=sys.stderr)
    os.close(write)
    with open(read, encoding='utf-8') as text:
        text = text.read()
    print(json.dumps([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), text]))
"""


def run_forks(program, moments, handler='default'):
    done = subprocess.run(
        [sys.executable, '-c', FORKS, program, json.dumps(list(moments)), handler],
        capture_output=True, text=True, cwd=ROOT, timeout=300,
        env=dict(os.environ, PYTHONPATH=str(ROOT)))
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize('program', PROGRAMS)
def test_the_first_statement_of_each_program(program):
    body = ast.parse((ROOT / program).read_text(encoding='utf-8')).body
    first = next(node for node in body if not isinstance(node, ast.Expr) and not (
        isinstance(node, ast.ImportFrom) and node.module == '__future__'))
    assert ast.unparse(first) == (
        "if __name__ == '__main__':\n"
        '    from mmwsss.ctrl_c import end_at_ctrl_c\n    end_at_ctrl_c()')


@pytest.mark.parametrize('program', [
    'mmwsss', 'tools/test.py', 'tools/pipeline.py'])
def test_any_moment(program):
    (status, said), = run_forks(program, [0])
    count = int(said.removeprefix('imports: '))
    assert status == 0 and count > 20
    moments = sorted({1, 2, 3, count, *range(5, count, 1 + count // 6)})
    for moment, (status, said) in zip(moments, run_forks(program, moments),
                                      strict=True):
        assert status == 130, moment
        assert said.startswith('stopped by Ctrl-C\n'), moment
        assert 'Traceback' not in said


def test_ignored_by_the_caller():
    assert [status for status, _ in run_forks('tools/train.py', [1, 5], 'ignored')] == [
        0, 0]


def test_what_comes_before():
    """What Python imports for itself, and five small files of ours."""
    code = ('import sys; before = set(sys.modules); import mmwsss.ctrl_c; '
            'print(*sorted(set(sys.modules) - before))')
    done = subprocess.run(
        [sys.executable, '-S', '-c', code], capture_output=True, text=True, check=True,
        env=dict(os.environ, PYTHONPATH=str(ROOT)))
    ours = [name for name in done.stdout.split() if name.startswith('mmwsss')]
    assert ours == ['mmwsss', 'mmwsss.commands', 'mmwsss.ctrl_c', 'mmwsss.import_hooks',
                    'mmwsss.registration', 'mmwsss.version']
    slow = {'argparse', 'ast', 'importlib.metadata', 'inspect', 'json', 'logging',
            'numpy', 'pathlib', 'subprocess', 'tempfile', 'threading', 'traceback'}
    assert not slow.intersection(done.stdout.split())

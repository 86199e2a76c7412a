# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""A served step is like a new process, but for what is imported already."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from mmwsss.recipes.process import MARKER, StepProcesses, marked_processes
from mmwsss.recipes.step_server import PRELOADED

pytestmark = pytest.mark.skipif(sys.platform != 'linux', reason='Linux only')
SCRIPT = """
import sys
loaded = sorted({'torch', 'mmwsss.models'} & set(sys.modules))
import atexit, json, os, pickle, random
import cv2
import numpy as np
import torch

def function():
    return 'of the script'

def at_exit():
    print('at exit', function())

atexit.register(at_exit)
if __name__ == '__main__':
    print(json.dumps(dict(
        loaded=loaded,
        arguments=sys.argv,
        folder=os.getcwd(),
        path=sys.path[0],
        file=__file__,
        main=pickle.loads(pickle.dumps(function))(),
        leader=os.getsid(0) == os.getpid() == os.getpgid(0),
        parent=os.getppid(),
        marker=os.environ['%s'],
        files=sorted(os.listdir('/proc/self/fd')),
        encoding=sys.stdout.encoding,
        buffering=(sys.stdout.line_buffering, sys.stdout.write_through),
        threads=torch.get_num_threads(),
        handlers=str([signal.getsignal(s) for s in (signal.SIGTERM, signal.SIGINT)]),
        environment=dict(os.environ),
        random=[random.random(), np.random.rand(), torch.rand(1).item()])))
    os.write(2, b'to standard error\\n')
    exec(sys.argv[1])
""".replace('import atexit,', 'import atexit, signal,') % MARKER


@pytest.fixture
def script(tmp_path):
    path = tmp_path / 'scripts' / 'script.py'
    path.parent.mkdir()
    path.write_text(SCRIPT)
    return str(path)


@pytest.fixture
def processes(tmp_path):
    with StepProcesses(str(tmp_path / 'work')) as processes:
        yield processes


@pytest.fixture
def find_first(tmp_path, monkeypatch):
    """Give new Pythons a module that they find before others of its name."""
    root = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))
    paths = [str(tmp_path / 'first'), root, os.environ.get('PYTHONPATH')]
    monkeypatch.setenv('PYTHONPATH', os.pathsep.join(filter(None, paths)))

    def write(name, text):
        path = tmp_path / 'first' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    return write


@pytest.fixture
def quick_server(find_first):
    """A server that imports torch only."""
    find_first('sitecustomize.py', 'import sys, types\n'
               'name = "mmwsss.preload"\n'
               'sys.modules[name] = types.ModuleType(name)')


def run(processes, script, then='', on_beat=lambda: None):
    """The status of a script, what it tells of itself, and its whole output."""
    log = os.path.join(processes.folder, 'log.txt')
    if os.path.exists(log):
        os.remove(log)
    status = processes.run([sys.executable, script, then], log, lambda line: None,
                           on_beat, is_script=True)
    with open(log) as file:
        text = file.read()
    told = [line for line in text.splitlines() if line.startswith('{')]
    return status, json.loads(told[0]) if told else None, text


def wait_for(is_reached):
    deadline = time.monotonic() + 60
    while not is_reached():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_served_step_is_like_a_new_process(processes, script, tmp_path):
    status, served, text = run(processes, script)
    with StepProcesses(processes.folder + '2', preload=False) as plain:
        plain_status, new, plain_text = run(plain, script)
    assert status == plain_status == 0
    assert served.pop('loaded') == ['mmwsss.models', 'torch']
    assert new.pop('loaded') == []
    assert served.pop('parent') == processes._server.pid != new.pop('parent')
    assert served.pop('random') != new.pop('random')
    environments = [told.pop('environment') for told in (served, new)]
    for environment, folder in zip(environments, (served, new), strict=True):
        assert environment.pop(MARKER) == folder.pop('marker')
    assert environments[0] == environments[1] | set_by_imports()
    assert served == new and served['leader']
    assert text.splitlines()[-2:] == plain_text.splitlines()[-2:] == [
        'to standard error', 'at exit of the script']

    # Failures, and what each step has for itself.
    randoms = [served_again(processes, script, *case) for case in (
        ('sys.exit(3)', 3, ''),
        ('sys.exit("a message")', 1, 'a message'),
        ('1 / 0', 1, 'ZeroDivisionError: division by zero'),
        ('os.kill(os.getpid(), signal.SIGKILL)', -signal.SIGKILL, ''),
        ('os.environ["LEFT"] = "x"; np.random.seed(0); torch.manual_seed(0)', 0, ''),
        ('assert "LEFT" not in os.environ', 0, ''))]
    for column in zip(*randoms, strict=True):
        assert len(set(column)) == len(randoms)


def set_by_imports():
    """The variables that libraries set when a step imports them, served or not."""
    code = ('import json, os; before = dict(os.environ); '
            f'import torch, {PRELOADED}; '
            'print(json.dumps(dict(os.environ.items() - before.items())))')
    told = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, check=True)
    return json.loads(told.stdout.splitlines()[-1])


def served_again(processes, script, then, expected, message):
    server = processes._server.pid
    status, told, text = run(processes, script, then)
    assert status == expected and message in text
    assert processes._server.pid == server == told['parent']
    return told['random']


def test_other_environment_gets_another_server(
        quick_server, processes, script, monkeypatch):
    before = run(processes, script)[1]
    monkeypatch.setenv('SETTING', 'new')
    after = run(processes, script, 'assert os.environ["SETTING"] == "new"')
    assert after[0] == 0 and after[1]['parent'] != before['parent']
    assert marked_processes(processes.folder, processes._server.pid) == []


ENDLESS = ('import subprocess; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n'
           'subprocess.Popen(["sleep", "1000"], start_new_session=True)\n'
           'open("started", "w").close(); time.sleep(1000)')


def test_stopped_pipeline_leaves_nothing(
        quick_server, processes, script, tmp_path, monkeypatch):
    """The step ignores SIGTERM, and its child has left the process group."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr('mmwsss.recipes.process._GRACE_SECONDS', 1)

    def stop():
        if os.path.exists('started'):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(processes, script, 'import time\n' + ENDLESS, stop)
    assert marked_processes(processes.folder, processes._server.pid) == []
    processes.__exit__()
    assert marked_processes(processes.folder, None) == []


@pytest.mark.parametrize('moment', ['importing', 'working'])
def test_killed_pipeline_takes_server_and_step_along(
        quick_server, script, tmp_path, monkeypatch, moment):
    monkeypatch.chdir(tmp_path)
    folder = str(tmp_path / 'work')
    pipeline = os.fork()
    if pipeline == 0:
        try:
            with StepProcesses(folder) as processes:
                run(processes, script,
                    'import time; open("started", "w").close(); time.sleep(1000)')
        finally:
            os._exit(0)
    wait_for(lambda: marked_processes(folder, None) and (
        moment == 'importing' or os.path.exists('started')))
    assert len(marked_processes(folder, None)) == (1 if moment == 'importing' else 2)
    os.kill(pipeline, signal.SIGKILL)
    os.waitpid(pipeline, 0)
    # By themselves: nobody looks for leftovers.
    wait_for(lambda: not marked_processes(folder, None))


def test_killed_server_is_told_and_replaced(
        quick_server, processes, script, tmp_path, monkeypatch):
    """As when the system lacks memory and chooses the server."""
    monkeypatch.chdir(tmp_path)

    def kill_server():
        if os.path.exists('started'):
            os.kill(processes._server.pid, signal.SIGKILL)

    status = run(processes, script, 'import time; open("started", "w").close(); '
                 'time.sleep(1000)', kill_server)[0]
    assert status == -signal.SIGKILL
    assert marked_processes(processes.folder, None) == []
    assert run(processes, script)[0] == 0


def test_without_its_imports_the_server_starts_plain_processes(
        processes, script, find_first):
    find_first('mmseg/__init__.py', '1 / 0')
    status, told, text = run(processes, script)
    assert status == 0 and told['loaded'] == []
    assert 'ZeroDivisionError' in text


def test_lost_gpu_is_regained_by_a_new_process(processes, script, find_first):
    """CUDA that was asked for a GPU before the fork does not work after it."""
    find_first('stub.py', 'import torch\n'
               'torch.cuda._is_in_bad_fork = lambda: True\n'
               'torch.cuda.is_available = lambda: True\n')
    find_first('sitecustomize.py', """
import importlib.util, os, sys

class Finder:

    def find_spec(name, path=None, target=None):
        if name == 'mmwsss.preload':
            stub = os.path.join(os.path.dirname(__file__), 'stub.py')
            return importlib.util.spec_from_file_location(name, stub)

sys.meta_path.insert(0, Finder)
""")
    status, told, _ = run(processes, script)
    assert status == 0 and told['loaded'] == []

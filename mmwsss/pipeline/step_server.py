# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Steps that need not import torch and mmseg again.

A server process imports the libraries once and forks itself for each step. The
fork becomes what ``python tools/train.py ...`` would be: a session of its own,
its own ``__main__``, arguments and output, fresh random states. It dies with the
server, and the server with the pipeline.
"""

import builtins
import gc
import json
import os
import os.path as osp
import random
import select
import socket
import subprocess
import sys
import time
import traceback
import warnings
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import IO

from .die_with import die_with

PRELOADED = 'mmwsss.preload'
"""By name, as the steps' scripts: a pipeline stands below what they import."""

_NVML_CHECK = 'PYTORCH_NVML_BASED_CUDA_CHECK'
# Tools do not find modules in the current folder, and neither may this.
_SERVER = ("import sys\nif sys.path[0] == '': del sys.path[0]\n"
           'from mmwsss.pipeline.step_server import serve\nserve()')


class StepServer:
    """Starts Python scripts by forking one process that has imported mmwsss.

    Args:
        environment (dict): The environment of the steps.
        sink (IO): Where the imports may print.
    """

    def __init__(self, environment: dict[str, str], sink: IO) -> None:
        self.environment = environment
        self._control, theirs = socket.socketpair()
        parent = os.getpid()
        self._process = subprocess.Popen(
            [sys.executable, '-c', _SERVER, str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            env=environment,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
            preexec_fn=lambda: die_with(parent))
        theirs.close()
        self._received = b''

    @property
    def pid(self) -> int:
        return self._process.pid

    def start(self, command: list[str], log: str) -> 'ServedStep':
        """Start ``[python, script, *arguments]``, its output going to ``log``."""
        request = dict(command=command, log=osp.abspath(log), folder=os.getcwd())
        try:
            self._control.sendall(json.dumps(request).encode() + b'\n')
        except BrokenPipeError:
            pass  # receive() will tell.
        return ServedStep(self)

    def receive(self) -> dict[str, int] | None:
        """What the server says next: {}, if nothing; None, if it is dead."""
        while b'\n' not in self._received:
            if self._control.fileno() < 0:
                return None
            if not select.select([self._control], [], [], 0)[0]:
                return {}
            try:
                data = self._control.recv(4096)
            except ConnectionResetError:
                data = b''
            if not data:
                return None
            self._received += data
        line, self._received = self._received.split(b'\n', 1)
        return json.loads(line)

    def close(self) -> int:
        """End the server and the step that it runs; return its status."""
        self._process.kill()
        self._control.close()
        return self._process.wait()


class ServedStep:
    """A step's process: the part of :class:`subprocess.Popen` that is needed."""

    def __init__(self, server: StepServer) -> None:
        self._server = server
        self.pid: int | None = None
        self.returncode: int | None = None

    def poll(self) -> int | None:
        while self.returncode is None and (said := self._server.receive()) != {}:
            if said is None:
                # The system ended the server, for example for want of memory;
                # with it goes the step.
                self.returncode = self._server.close() or 1
            else:
                self.pid = said.get('pid', self.pid)
                self.returncode = said.get('status')
        return self.returncode

    def wait(self, timeout: float) -> int:
        deadline = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired('step', timeout)
            time.sleep(0.02)
        return self.returncode

    def send_signal(self, signum: int) -> None:
        """Signal the step's process group."""
        if self.pid is None:
            self.returncode = self._server.close()
        else:
            os.killpg(self.pid, signum)


def serve() -> None:
    """Import, then fork for each request; in the fork, run what it asks for."""
    control = socket.socket(fileno=int(sys.argv[1]))
    environment = dict(os.environ)
    can_serve, has_gpu = _preload()
    for request in _requests(control):
        ready, begun = os.pipe()
        server = os.getpid()
        step = _fork()
        if step == 0:
            control.close()
            os.close(ready)
            os.setsid()
            die_with(server)
            os.close(begun)
            _redirect(request['log'])
            os.chdir(request['folder'])
            command = request['command']
            if can_serve and not (has_gpu and _lost_cuda()):
                _forget_random_states()
                _become(command)
            else:
                # What it serves: the pipeline's own command.
                os.execve(command[0], command, environment)  # noqa: S606
            return
        os.close(begun)
        # Once it leads its process group, it can be signalled.
        os.read(ready, 1)
        os.close(ready)
        _send(control, pid=step)
        _, status = os.waitpid(step, 0)
        _send(control, status=os.waitstatus_to_exitcode(status))


def _requests(control: socket.socket) -> Iterator[dict]:
    received = b''
    while data := control.recv(1 << 16):
        *lines, received = (received + data).split(b'\n')
        yield from map(json.loads, lines)


def _preload() -> tuple[bool, bool]:
    """Import; return whether forks can serve, and whether there is a GPU."""
    # Asking CUDA itself for a GPU, as mmengine does on import, would keep it from
    # the forks.
    before = os.environ.get(_NVML_CHECK)
    os.environ[_NVML_CHECK] = '1'
    try:
        import torch
        from mmengine.device import get_device

        import_module(PRELOADED)
        has_gpu = torch.cuda.is_available()
        # Whether other devices survive a fork is not known.
        can_serve = get_device() in ('cpu', 'cuda')
    except Exception:
        traceback.print_exc()
        return False, False
    finally:
        if before is None:
            del os.environ[_NVML_CHECK]
        else:
            os.environ[_NVML_CHECK] = before
    # The forks shall not go through these objects, and so copy them.
    gc.collect()
    gc.freeze()
    return can_serve, has_gpu


def _fork() -> int:
    with warnings.catch_warnings():
        # The only threads are those of OpenBLAS, which it stops before a fork.
        warnings.simplefilter('ignore', DeprecationWarning)
        return os.fork()


def _send(control: socket.socket, **said: int) -> None:
    control.sendall(json.dumps(said).encode() + b'\n')


def _redirect(log: str) -> None:
    sink = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    os.dup2(sink, 1)
    os.dup2(sink, 2)
    os.close(sink)


def _become(command: list[str]) -> None:
    """Run the script as Python runs its main program."""
    _, script, *arguments = command
    sys.argv = [script, *arguments]
    if not getattr(sys.flags, 'safe_path', False):
        sys.path.insert(0, osp.dirname(osp.realpath(script)))
    main = ModuleType('__main__')
    main.__dict__.update(__file__=script, __builtins__=builtins)
    sys.modules['__main__'] = main
    with open(script, 'rb') as file:
        code = compile(file.read(), script, 'exec', dont_inherit=True)
    # One of our tools, as `python tools/...` would run it.
    exec(code, main.__dict__)  # noqa: S102


def _lost_cuda() -> bool:
    import torch
    return torch.cuda._is_in_bad_fork() or not torch.cuda.is_available()


def _forget_random_states() -> None:
    """Begin anew from the system's entropy, as a new process does."""
    import numpy as np
    import torch
    random.seed()
    np.random.seed()
    torch.default_generator.seed()

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Steps that need not import torch and mmseg again.

A server process imports the libraries once and forks itself for each step. The
fork becomes what ``python tools/train.py ...`` would be: a session of its own,
its own ``__main__``, arguments and output, fresh random states. It dies with the
server, and the server with the recipe. (The fork server of ``multiprocessing``
starts functions, whose processes skip ``atexit`` and outlive a killed parent.)
"""

import gc
import os
import os.path as osp
import random
import runpy
import subprocess
import sys
import time
import traceback
import warnings
from contextlib import suppress
from importlib import import_module
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import IO

from .spawn import die_with, spawn

PRELOADED = 'mmwsss.preload'
"""By name, as the steps' scripts: a recipe stands below what they import."""

_NVML_CHECK = 'PYTORCH_NVML_BASED_CUDA_CHECK'
# Tools do not find modules in the current folder, and neither may this.
_SERVER = ("import sys\nif sys.path[0] == '': del sys.path[0]\n"
           'from mmwsss.recipes.step_server import serve\nserve()')


class StepServer:
    """Starts Python scripts by forking one process that has imported mmwsss.

    Args:
        environment (dict): The environment of the steps.
        sink (IO): Where the imports may print.
    """

    def __init__(self, environment: dict[str, str], sink: IO) -> None:
        self.environment = environment
        self._control, theirs = Pipe()
        self._process = spawn(
            [sys.executable, '-c', _SERVER, str(theirs.fileno())], sink, environment,
            (theirs.fileno(), ))
        theirs.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def start(self, command: list[str], log: str) -> 'ServedStep':
        """Start ``[python, script, *arguments]``, its output going to ``log``.

        It returns when the step has begun, which takes the time of the imports
        once.
        """
        request = dict(command=command, log=osp.abspath(log), folder=os.getcwd())
        with suppress(BrokenPipeError):  # The next reply will tell.
            self._control.send(request)
        return ServedStep(self)

    def has_replied(self) -> bool:
        return self._control.poll()

    def reply(self) -> int | None:
        """Wait for the next number that the server says; None if it is dead."""
        with suppress(EOFError, OSError):
            return self._control.recv()
        return None

    def close(self) -> int:
        """End the server and the step that it runs; return its status."""
        self._process.kill()
        self._control.close()
        return self._process.wait()


class ServedStep:
    """A step's process: the part of :class:`subprocess.Popen` that is needed."""

    def __init__(self, server: StepServer) -> None:
        self._server = server
        self.returncode: int | None = None
        self.pid = server.reply()
        if self.pid is None:
            self._end_with_server()

    def poll(self) -> int | None:
        if self.returncode is None and self._server.has_replied():
            self.returncode = self._server.reply()
            if self.returncode is None:
                self._end_with_server()
        return self.returncode

    def wait(self, timeout: float) -> int:
        deadline = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired('step', timeout)
            time.sleep(0.02)
        return code

    def _end_with_server(self) -> None:
        # The system ended the server, for example for want of memory; with it
        # goes the step.
        self.returncode = self._server.close() or 1


def serve() -> None:
    """Import, then fork for each request; in the fork, run what it asks for."""
    control = Connection(int(sys.argv[1]))
    environment = dict(os.environ)
    can_serve, has_gpu = _preload()
    while True:
        try:
            request = control.recv()
        except EOFError:
            return
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
                # What it serves: the recipe's own command.
                os.execve(command[0], command, environment)  # noqa: S606
            return
        os.close(begun)
        # Once it leads its process group, it can be signalled.
        os.read(ready, 1)
        os.close(ready)
        control.send(step)
        _, status = os.waitpid(step, 0)
        control.send(os.waitstatus_to_exitcode(status))


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
    runpy.run_path(script, run_name='__main__')


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

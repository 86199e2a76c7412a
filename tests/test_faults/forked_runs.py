# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""The pipeline in forks of this process, which have imported all: for faults that
need no processes of their own."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from fault_runs import HERE, Ended, Fault, SmallRun
from mmengine.config import Config
from mmengine.runner import runner
from mmengine.utils import ManagerMixin
from shortcuts import forget_instances, plain_text
from tool_runner import load_tool

from mmwsss.recipes import step_server
from mmwsss.recipes.spawn import die_with
from mmwsss.utils.entry_point import run_tool


class ForkedServer:
    """What :class:`subprocess.Popen` would be for a step server that is forked."""

    def __init__(self, command, sink, environment, pass_fds=()) -> None:
        parent = os.getpid()
        self.returncode = None
        self.pid = os.fork()
        if self.pid == 0:
            with ending():
                os.setsid()
                die_with(parent)
                os.dup2(sink.fileno(), 1)
                os.dup2(sink.fileno(), 2)
                os.environ.update(environment)
                # A new process has no loggers.
                forget_instances(ManagerMixin)
                sys.argv = ['-c', command[-1]]
                step_server.serve()

    def poll(self) -> int | None:
        if self.returncode is None:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            if ended:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def kill(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> int:
        if self.poll() is None:
            self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.returncode


class ending:
    """End a fork with what is in it, as Python ends a program."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind, error, trace) -> None:
        code = 0
        try:
            if isinstance(error, SystemExit):
                code = error.code or 0
            elif error is not None:
                code = 1
                traceback.print_exc()
            sys.stdout.flush()
            sys.stderr.flush()
        except OSError:
            code = code or 120
        finally:
            os._exit(code)


def run_forked(small: SmallRun, fault: Fault | None = None,
               prepare: Callable[[], None] = lambda: None) -> Ended:
    """Run a small recipe in a fork.

    Args:
        small (SmallRun): It, in one process.
        fault (Fault, optional): What happens to it.
        prepare (Callable): Called in the fork at first.
    """
    output, reached = small.folder / 'output', small.folder / 'reached'
    reached.unlink(missing_ok=True)
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        with ending():
            with open(output, 'wb') as sink:
                os.dup2(sink.fileno(), 1)
                os.dup2(sink.fileno(), 2)
            sys.stdout = open(1, 'w', buffering=1, closefd=False)
            sys.stderr = open(2, 'w', buffering=1, closefd=False)
            step_server.spawn = ForkedServer
            Config.pretty_text = property(plain_text)
            # It would take most of the time.
            runner.collect_env = dict
            prepare()
            if fault is not None:
                install(fault, small, reached)
            sys.argv = ['pipeline.py', small.recipe, '--work-dir', small.work_dir]
            tool = load_tool('pipeline')
            run_tool(tool.parse_args, tool.main)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return Ended(code, Path(output).read_text(errors='replace'), reached.exists())


def install(fault: Fault, small: SmallRun, reached: Path) -> None:
    os.environ['MMWSSS_FAULT'] = json.dumps(dict(
        fault.options, run='', folder=small.work_dir, starter=os.getppid(),
        at=fault.at, number=fault.number, kill=fault.kill, reached=str(reached)))
    spec = importlib.util.spec_from_file_location(
        'injected_faults', HERE / 'injected' / 'sitecustomize.py')
    spec.loader.exec_module(importlib.util.module_from_spec(spec))


def can_mount() -> bool:
    """Whether this user may mount a file system of a small size."""
    command = ['unshare', '-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']
    try:
        return subprocess.run(command, capture_output=True).returncode == 0
    except OSError:
        return False

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""One child process, its log, and nothing of it left behind."""

import os
import os.path as osp
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO

import psutil
from filelock import FileLock, Timeout

from mmwsss.utils import read_text

from .spawn import spawn
from .step_server import ServedStep, StepServer

MARKER = 'MMWSSS_PIPELINE_DIR'
"""Environment variable by which a folder's processes are found again."""

_GRACE_SECONDS = 15
_LOCK_SECONDS = 2
_LOGGER_PREFIX = re.compile(r'^\S+ \S+ - \w+ - [A-Z]+ - ')
_PROGRESS = re.compile(r'\beta\b|elapsed|\[\s*\d+/\d+\]|\d of \d', re.IGNORECASE)
_UNREADABLE = re.compile(r'\x1b\[[0-9;?]*[A-Za-z]')


class Interrupted(Exception):
    """The run was asked to stop by a signal."""

    def __init__(self, signum: int) -> None:
        super().__init__(signal.Signals(signum).name)
        self.signum = signum


@contextmanager
def stop_on_signals() -> Iterator[None]:
    """Turn SIGINT, SIGTERM and SIGHUP into :class:`Interrupted`, but for those
    that are ignored, as SIGHUP is under ``nohup``."""

    def stop(signum, frame):
        raise Interrupted(signum)

    signals = [signum for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
               if signal.getsignal(signum) != signal.SIG_IGN]
    before = {signum: signal.signal(signum, stop) for signum in signals}
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


@contextmanager
def folder_lock(folder: str) -> Iterator[None]:
    """Hold a folder for one run of a recipe; the system frees it however that ends.

    Raises:
        BlockingIOError: If another run holds it.
    """
    os.makedirs(folder, exist_ok=True)
    path, holder = osp.join(folder, '.lock'), osp.join(folder, '.lock.pid')
    try:
        # A child that a killed run was just starting holds it a moment more.
        lock = FileLock(path).acquire(timeout=_LOCK_SECONDS)
    except Timeout as error:
        raise BlockingIOError(
            f'another run (process {_first_line(holder)}) works in '
            f'{folder}') from error
    with lock:
        with open(holder, 'w', encoding='utf-8') as file:
            file.write(str(os.getpid()))
        yield


def _first_line(path: str) -> str:
    try:
        return read_text(path).strip() or 'unknown'
    except (OSError, ValueError):
        return 'unknown'


def kill_leftovers(folder: str, spare: int | None = None) -> int:
    """End processes that an earlier run in ``folder`` left running.

    A run that was killed outright cannot end its steps' workers; two
    processes must not write the same files. They are known by their
    environment.

    Args:
        folder (str): The recipe's folder.
        spare (int, optional): A process to leave alone.

    Returns:
        int: How many were ended; all of them are gone.

    Raises:
        RuntimeError: If one does not go.
    """
    ended = set()
    deadline = time.monotonic() + _GRACE_SECONDS
    while found := marked_processes(folder, spare):
        for process in found:
            with suppress(psutil.Error):
                process.kill()
                ended.add(process.pid)
        if time.monotonic() > deadline:
            raise RuntimeError(
                f'processes {[process.pid for process in found]} of an earlier run '
                f'in {folder} do not end')
        # psutil.wait_procs would take the exit status of children of ours away.
        time.sleep(0.01)
    return len(ended)


def marked_processes(folder: str, spare: int | None = None) -> list[psutil.Process]:
    """The living processes that work for a folder, without this one.

    Args:
        folder (str): The recipe's folder.
        spare (int, optional): A process to leave out.
    """
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.pid not in (os.getpid(), spare) and process.environ().get(
                    MARKER) == folder:
                found.append(process)
    return found


class StepProcesses:
    """Starts the processes of a recipe's steps, one after the other.

    Args:
        folder (str): The recipe's folder, which marks them.
        preload (bool): Whether Python scripts, where asked for, are forks of one
            process that has imported mmwsss; on Linux only.
    """

    def __init__(self, folder: str, preload: bool = True) -> None:
        self.folder = folder
        self.preload = preload and sys.platform == 'linux'
        self._server: StepServer | None = None

    def __enter__(self) -> 'StepProcesses':
        return self

    def __exit__(self, *_) -> None:
        self._close_server()

    def run(self,
            command: list[str],
            log: str,
            on_line: Callable[[str], None],
            on_beat: Callable[[], None],
            is_script: bool = False) -> int:
        """Run a command, its output going to ``log``.

        Args:
            command (list[str]): Program and arguments.
            log (str): File that the output is appended to.
            on_line (Callable): Called with each new line of the output.
            on_beat (Callable): Called a few times a second.
            is_script (bool): Whether the command is this Python and a script that
                imports mmwsss. Defaults to False.

        Returns:
            int: The exit status.
        """
        os.makedirs(osp.dirname(log), exist_ok=True)
        child: subprocess.Popen | ServedStep | None = None
        with open(log, 'ab') as sink, open(log, 'rb') as source:
            source.seek(0, os.SEEK_END)
            lines = _LineReader(source, on_line)
            try:
                environment = {
                    **os.environ, 'PYTHONUNBUFFERED': '1', MARKER: self.folder}
                if is_script and self.preload:
                    child = self._serve(command, log, sink, environment)
                else:
                    child = spawn(command, sink, environment)
                while (code := child.poll()) is None:
                    lines.read()
                    on_beat()
                    time.sleep(0.1)
                lines.read()
            finally:
                if child is not None:
                    _end(child)
                # Also what left the process group, or began just before a signal.
                kill_leftovers(self.folder,
                               None if self._server is None else self._server.pid)
        return code

    def _serve(self, command: list[str], log: str, sink: IO,
               environment: dict[str, str]) -> ServedStep:
        if self._server is not None and (
                self._server.environment != environment
                or not self._server.is_alive()):
            self._close_server()
        if self._server is None:
            self._server = StepServer(environment, sink)
        try:
            return self._server.start(command, log)
        except BaseException:
            # Nobody will hear what it says of this step.
            self._close_server()
            raise

    def _close_server(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None


def _end(child: subprocess.Popen | ServedStep) -> None:
    """End a child and its process group, gently first."""
    if child.pid is None:
        return
    has_ended = child.poll() is not None
    for signum in (signal.SIGTERM, signal.SIGKILL)[has_ended:]:
        with suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(child.pid, signum)
            child.wait(_GRACE_SECONDS)


class _LineReader:

    def __init__(self, source, on_line: Callable[[str], None]) -> None:
        self.source, self.on_line, self.rest = source, on_line, b''

    def read(self) -> None:
        # Progress bars end their lines by carriage returns.
        *lines, self.rest = re.split(rb'[\r\n]+', self.rest + self.source.read())
        for line in lines:
            text = _UNREADABLE.sub('', line.decode(errors='replace')).strip()
            if text:
                self.on_line(_LOGGER_PREFIX.sub('', text))


class ProgressLine:
    """The latest line of a step's output that tells progress, on the console.

    On a terminal it is one line that changes in place; elsewhere a line is
    printed every ten seconds at most.
    """

    def __init__(self, name: str, stream=None) -> None:
        self.stream = stream or sys.stdout
        self.name = name
        self.live = self.stream.isatty()
        self.started = self.printed = time.monotonic()

    def update(self, line: str) -> None:
        now = time.monotonic()
        too_soon = now - self.printed < (0.2 if self.live else 10)
        if too_soon or not _PROGRESS.search(line):
            return
        self.printed = now
        text = f'  {self.name} {format_seconds(now - self.started)}  {line}'
        if self.live:
            width = shutil.get_terminal_size().columns - 1
            self.stream.write(f'\r\x1b[2K{text[:width]}')
        else:
            self.stream.write(text[:160] + '\n')
        self.stream.flush()

    def say(self, text: str) -> None:
        """Print a line that stays."""
        self.close()
        self.stream.write(f'  {text}\n')
        self.stream.flush()

    def close(self) -> None:
        if self.live:
            self.stream.write('\r\x1b[2K')
            self.stream.flush()


def format_seconds(seconds: float) -> str:
    """``m:ss`` or ``h:mm:ss``."""
    minutes, seconds = divmod(int(round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f'{hours}:{minutes:02d}:{seconds:02d}'
    return f'{minutes}:{seconds:02d}'

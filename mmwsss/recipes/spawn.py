# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import ctypes
import os
import signal
import subprocess
import sys
from typing import IO

_PR_SET_PDEATHSIG = 1


def spawn(command: list[str], sink: IO, environment: dict[str, str],
          pass_fds: tuple[int, ...] = ()) -> subprocess.Popen:
    """Start a process in a session of its own that ends with this one.

    Args:
        command (list[str]): Program and arguments.
        sink (IO): The file for its output.
        environment (dict): Its environment.
        pass_fds (tuple[int]): Descriptors that stay open. Defaults to none.
    """
    parent = os.getpid()
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT,
        env=environment, pass_fds=pass_fds, start_new_session=True,
        preexec_fn=lambda: die_with(parent))


def die_with(parent: int) -> None:
    """Ask Linux to end this process when its parent dies."""
    # psutil only watches; this holds however the parent ends.
    if sys.platform == 'linux':
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

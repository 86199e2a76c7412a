# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Calls the tools that verbs stand for."""

import os
import os.path as osp
import shlex
import signal
import subprocess
import sys
import threading

from mmwsss.utils import project_path


class ToolFailed(RuntimeError):
    """A tool ended with an error, of which it has told.

    Args:
        command (list[str]): Program and arguments.
        status (int): Its exit status; 3 if a check stopped it.
    """

    def __init__(self, command: list[str], status: int) -> None:
        super().__init__(f'{shlex.join(command)} ended with status {status}')
        self.status = status


def option_words(**options: object) -> list[str]:
    """Options as a tool takes them: ``max_long=384`` is ``--max-long 384``.

    True stands alone; None, False and an empty list are left out. A list, of an
    option of several words, comes last.
    """
    words = []
    for name, value in options.items():
        if value is not None and value is not False and value != []:
            values = value if isinstance(value, list) else [value]
            words += [f'--{name.replace("_", "-")}',
                      *(str(one) for one in values if one is not True)]
    return words


def call_tool(name: str, *arguments: str) -> None:
    """Print the plain command of a tool, and run it.

    Args:
        name (str): Its path below the project, such as ``'tools/pipeline.py'``.
        *arguments (str): Its arguments.

    Raises:
        ToolFailed: If it does not end well.
    """
    tool = project_path(*name.split('/'))
    near = osp.relpath(tool)
    shown = tool if near.startswith(os.pardir) else near
    print(f'$ {shlex.join(["python", shown, *arguments])}', flush=True)
    environment = dict(os.environ)
    checkout = osp.dirname(osp.dirname(osp.dirname(osp.abspath(__file__))))
    if osp.isfile(osp.join(checkout, 'model-index.yml')):
        # What imports mmwsss from a checkout lets the tool do so, too.
        paths = [checkout, os.environ.get('PYTHONPATH', '')]
        environment['PYTHONPATH'] = os.pathsep.join(filter(None, paths))
    command = [sys.executable, tool, *arguments]
    status = _wait(subprocess.Popen(command, env=environment))
    if status:
        raise ToolFailed(command, status)


def _wait(process: subprocess.Popen) -> int:
    """Wait, and hand on what is to end this process; Ctrl-C reaches both."""
    main_thread = threading.current_thread() is threading.main_thread()
    before = {}

    def hand_on(number: int, frame: object) -> None:
        if number != signal.SIGINT:
            process.send_signal(number)

    if main_thread:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            before[number] = signal.signal(number, hand_on)
    try:
        status = process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return status if status >= 0 else 128 - status

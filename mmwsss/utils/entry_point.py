# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""How a tool ends."""

import argparse
import os
import re
import select
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn, TextIO

from mmwsss.ctrl_c import ends_at_ctrl_c
from mmwsss.import_hooks import quiet_imports

from .build_errors import failed_first_batch, failed_part

TRACEBACK = 'MMWSSS_TRACEBACK'
"""The environment variable that shows where in the code an error arose."""

STOPPED_BY_CHECK = 3
"""The exit status of a tool whose check found what makes going on useless."""


def run_tool(parse_args: Callable[[], argparse.Namespace],
             main: Callable[[argparse.Namespace], int | None]) -> None:
    """Run a tool: its command line first, then what it imports and does.

    What the user can mend is said in one sentence on standard error, with exit
    status 2, as argparse does: files, data, checkpoints and options that are
    missing or wrong (``OSError``, ``ValueError``), absent packages
    (``ImportError``), and whatever is raised while a part of a config is built or
    meets the first batch. With ``MMWSSS_TRACEBACK=1`` the traceback comes before.
    Ctrl-C exits with 130. Any other exception is a fault of the program: Python shows
    its traceback and exits with 1. A reader of the output that leaves early, as
    ``head`` does, ends a tool without a word. Standard streams that are closed count as
    ``/dev/null``.

    Args:
        parse_args (Callable): Reads the command line.
        main (Callable): Does the work; returns the exit status, None for 0.
    """
    args = None
    _open_closed_streams()
    with _noting_interrupts() as interrupts:
        try:
            try:
                args = parse_args()
                quiet_imports()
                status = main(args)
            except SystemExit:
                # What --help prints may meet a full disk, too.
                sys.stdout.flush()
                _flush(sys.stderr)
                raise
            sys.stdout.flush()
        except (Exception, KeyboardInterrupt) as error:
            _end(error, bool(interrupts), getattr(args, 'cfg_options', None))
    if status:
        sys.exit(status)


def _open_closed_streams() -> None:
    """Let streams that the caller has closed lead nowhere.

    The next file to be opened would get the number of such a stream, and what the
    processes of a tool print would go into it.
    """
    for number, name in enumerate(('stdin', 'stdout', 'stderr')):
        try:
            os.fstat(number)
        except OSError:
            # The lowest free number is this one, since those below are open.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, 'r' if number == 0 else 'w',
                                    encoding='utf-8', closefd=False))


@contextmanager
def _noting_interrupts() -> Iterator[list[int]]:
    """A list that is longer after each Ctrl-C.

    What is interrupted may make another error of it, as some compiled modules do
    while they are imported.
    """
    interrupts: list[int] = []

    def interrupt(number: int, frame: object) -> None:
        interrupts.append(number)
        raise KeyboardInterrupt

    before = signal.getsignal(signal.SIGINT)
    ours = (before is signal.default_int_handler or ends_at_ctrl_c()) and (
        threading.current_thread() is threading.main_thread())
    if ours:
        signal.signal(signal.SIGINT, interrupt)
    try:
        yield interrupts
    finally:
        if ours and signal.getsignal(signal.SIGINT) is interrupt:
            signal.signal(signal.SIGINT, before)


def _end(error: BaseException, interrupted: bool,
         options: dict | None = None) -> NoReturn:
    """Exit because of the exception that is being handled, or let it pass."""
    if interrupted or isinstance(error, KeyboardInterrupt):
        print('stopped by Ctrl-C', file=sys.stderr)
        sys.exit(130)
    part = _failed_part(error, options or {}) if isinstance(error, Exception) else ''
    if not part and not isinstance(error, (OSError, ValueError, ImportError)):
        raise
    if os.environ.get(TRACEBACK, '0') != '0':
        traceback.print_exc()
    # Output may go to the very disk that is full, or to a reader that has left.
    left = isinstance(error, BrokenPipeError) and _has_no_reader(sys.stdout)
    if not left:
        with suppress(OSError):
            print(f'error: {part}{one_line(error)}', file=sys.stderr)
    _flush(sys.stdout)
    _flush(sys.stderr)
    sys.exit(128 + signal.SIGPIPE if left else 2)


def _has_no_reader(stream: TextIO) -> bool:
    poll = select.poll()
    poll.register(stream, 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))


def _flush(stream: TextIO) -> None:
    """Write or drop what a stream holds.

    Python would try again at its end, and exit with 120.
    """
    try:
        stream.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def one_line(error: BaseException) -> str:
    """What an error says, without line breaks."""
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args \
        else str(error)
    if 'Original Traceback' in text:
        # Of a data loader's worker; its last line says what was wrong.
        text = re.sub(r'^[\w.]+: ', '', text.strip().splitlines()[-1])
    if not text and isinstance(error, AssertionError):
        # What should be so.
        text = traceback.extract_tb(error.__traceback__)[-1].line or ''
    # mmengine tells hooks by their places in memory.
    text = re.sub(r'<([\w.]+) object at 0x[0-9a-f]+>', r'\1', text)
    return ' '.join(text.split()) or type(error).__name__


def _failed_part(error: Exception, options: dict) -> str:
    """Which part of a config fails, and with which options; '' for other errors."""
    if isinstance(error, (OSError, ImportError)):
        return ''
    kind = '' if ' ' in one_line(error) else f'{type(error).__name__}: '
    part = failed_part(error)
    if not part:
        batch = not isinstance(error, ValueError) and failed_first_batch(error)
        return f'{batch}: {kind}' if batch else ''
    key = part.split(' ')[0]
    # What a dataset refuses names the file.
    if isinstance(error, ValueError) and key.endswith('.dataset'):
        return ''
    given = {name: value for name, value in options.items()
             if f'{key}.'.startswith(f'{name}.') or name.startswith(f'{key}.')}
    words = ' '.join(f'{name}={value}' for name, value in (given or options).items())
    return (f'{part} cannot be built{" with the options " * bool(words)}{words}: '
            f'{kind}')

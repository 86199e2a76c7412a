# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Ctrl-C while a program is still being imported.

What is run imports this file before all else, in its first statement:

    if __name__ == '__main__':
        from mmwsss.ctrl_c import end_at_ctrl_c
        end_at_ctrl_c()

Until then Python itself answers Ctrl-C, by a traceback. So neither this file nor
``import mmwsss`` imports more than they must.
"""

import os
import signal


def end_at_ctrl_c() -> None:
    """End this process in a word at Ctrl-C from now on, with exit status 130.

    There is nothing to put in order before a program has begun. ``run_tool`` then
    raises ``KeyboardInterrupt`` instead. Where the caller ignores Ctrl-C, as a shell
    does for what it runs in the background, it stays ignored.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)


def ends_at_ctrl_c() -> bool:
    """Whether :func:`end_at_ctrl_c` is in force."""
    return signal.getsignal(signal.SIGINT) is _end


def _end(number: int, frame: object) -> None:
    try:
        os.write(2, b'stopped by Ctrl-C\n')
    finally:
        os._exit(130)

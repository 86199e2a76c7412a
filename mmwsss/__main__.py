# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""``python -m mmwsss``, the command ``mmwsss``."""

from .commands.command_line import main

if __name__ == '__main__':
    main()

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""``python -m mmwsss``, the command ``mmwsss``."""

from .ctrl_c import end_at_ctrl_c


def main() -> None:
    """The console command."""
    end_at_ctrl_c()
    from .commands.command_line import main
    main()


if __name__ == '__main__':
    main()

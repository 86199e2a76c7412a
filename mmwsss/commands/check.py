# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""``mmwsss check``: look at a folder of images before anything is trained."""

import argparse

from .tools import call_tool, option_words


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``mmwsss check``."""
    parser.add_argument('data', help='folder of photos with tags')
    parser.add_argument('--quick', action='store_true', help='read no photo')
    add_layout_arguments(parser)


def add_layout_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options for what is not found in a folder."""
    parser.add_argument('--tags', metavar='FILE', help='the table of tags')
    parser.add_argument('--masks', metavar='DIR', help='the folder of masks')
    parser.add_argument('--classes', metavar='FILE', help='the list of classes')


def check(data: str,
          quick: bool = False,
          tags: str | None = None,
          masks: str | None = None,
          classes: str | None = None) -> None:
    """Say what a folder of images holds, and what its tags cannot teach.

    Args:
        data (str): The folder of images.
        quick (bool): Whether to leave the images unread. Defaults to False.
        tags (str, optional): The table of tags, where it is not found.
        masks (str, optional): The folder of masks, likewise.
        classes (str, optional): The list of classes, likewise.

    Raises:
        ToolFailed: If the folder cannot be read, or with ``status`` 3 if there are
            problems.
    """
    call_tool('tools/dataset_converters/own_photos.py', data, *option_words(
        quick=quick, tags=tags, masks=masks, classes=classes))

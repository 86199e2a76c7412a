# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""From tags on photos to a segmentation model.

    mmwsss run my_photos
    mmwsss predict work_dirs/my_photos more_photos/

Each verb prints the plain command that it stands for.
"""

import argparse
import sys
from importlib import import_module

from mmwsss.utils.arguments import ToolParser
from mmwsss.utils.entry_point import run_tool
from mmwsss.version import __version__

from . import VERBS
from .tools import ToolFailed


def parse_args(words: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; only the verb that it names is imported."""
    words = sys.argv[1:] if words is None else words
    named = next((word for word in words if not word.startswith('-')), None)
    parser = ToolParser(__doc__, prog='mmwsss')
    parser.add_argument('--version', action='version', version=__version__)
    verbs = parser.add_subparsers(dest='verb', required=True, metavar='VERB')
    for verb, text in VERBS.items():
        verb_parser = verbs.add_parser(verb, help=text, description=text)
        if verb == named:
            import_module(f'{__package__}.{verb}').add_arguments(verb_parser)
    return parser.parse_args(words)


def call_verb(args: argparse.Namespace) -> int | None:
    """Do what the command line asks for."""
    options = dict(vars(args))
    verb = options.pop('verb')
    module = import_module(f'{__package__}.{verb}')
    try:
        result = getattr(module, verb)(**options)
    except ToolFailed as failed:
        # It has said why.
        return failed.status
    if hasattr(module, 'NEXT'):
        print(module.NEXT.format(result))
    return 0


def main() -> None:
    """The console command."""
    run_tool(parse_args, call_verb)

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Tools, which are scripts and no part of the package, run in this process."""

import importlib.util
import os.path as osp
import sys

from mmwsss.utils import project_path


def load_tool(name):
    """Import a script below tools/, once, with what lies beside it.

    Args:
        name (str): Its path without suffix: ``'dataset_converters/coco'``.
    """
    key = f'tools/{name}'
    if key not in sys.modules:
        path = project_path('tools', *f'{name}.py'.split('/'))
        spec = importlib.util.spec_from_file_location(key, path)
        module = importlib.util.module_from_spec(spec)
        sys.path.insert(0, osp.dirname(path))
        try:
            spec.loader.exec_module(module)
        finally:
            sys.path.remove(osp.dirname(path))
        sys.modules[key] = module
    return sys.modules[key]


def run_tool(name, *args):
    """Run a script below tools/ with command line arguments; what it returns."""
    tool = load_tool(name)
    before, sys.argv = sys.argv, [tool.__file__, *map(str, args)]
    try:
        return tool.main(tool.parse_args())
    finally:
        sys.argv = before

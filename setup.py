# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Packs configs, tools and demo into the wheel; the rest is pyproject.toml."""

import os

from setuptools import setup
from setuptools.command.build_py import build_py

# What an install keeps in mmwsss/.mim, where OpenMMLab's mim looks for it.
MIM_PATHS = ('configs', 'tools', 'demo', 'model-index.yml')


def mim_files():
    """List the files of ``MIM_PATHS``, relative to the project root."""
    for path in MIM_PATHS:
        if os.path.isfile(path):
            yield path
        for folder, folders, files in os.walk(path):
            folders[:] = sorted(
                name for name in folders
                if name != '__pycache__' and not name.startswith('.'))
            for name in sorted(files):
                if not name.startswith('.') and not name.endswith('.pyc'):
                    yield os.path.join(folder, name)


class BuildWithMim(build_py):
    """Copy ``MIM_PATHS`` to ``mmwsss/.mim``, except in an editable install."""

    def _mim_pairs(self):
        if getattr(self, 'editable_mode', False):
            return []
        target = os.path.join(self.build_lib, 'mmwsss', '.mim')
        return [(path, os.path.join(target, path)) for path in mim_files()]

    def run(self):
        super().run()
        for source, target in self._mim_pairs():
            self.mkpath(os.path.dirname(target))
            self.copy_file(source, target)

    def get_outputs(self, include_bytecode=True):
        return [
            *super().get_outputs(include_bytecode),
            *(target for _, target in self._mim_pairs())
        ]


if __name__ == '__main__':
    setup(cmdclass={'build_py': BuildWithMim})

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Weakly supervised semantic segmentation on MMSegmentation.

Importing this package makes its parts known to mmseg's registries, so that
``custom_imports = dict(imports=['mmwsss'], allow_failed_imports=False)`` is
all that a config needs. As mmseg's own parts, they are imported when a registry
is first asked for one.

The verbs of the command ``mmwsss`` are functions: ``mmwsss.run(data='my_photos')``.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from .commands import VERBS
from .registration import announce_parts
from .version import __version__

if TYPE_CHECKING:
    from .apis import CAM

__all__ = ['CAM', '__version__', *VERBS]


def __getattr__(name: str):
    if name in ('apis', 'datasets', 'engine', 'evaluation', 'models', 'ops',
                'structures', 'visualization'):
        return import_module(f'.{name}', __name__)
    if name in VERBS:
        return getattr(import_module(f'.commands.{name}', __name__), name)
    if name == 'CAM':
        return import_module('.apis', __name__).CAM
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')


announce_parts()

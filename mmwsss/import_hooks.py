# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Do something around the import of a module, whoever imports it."""

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, redirect_stdout
from types import ModuleType
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from importlib.abc import Loader
    from importlib.machinery import ModuleSpec

_ONEDL_LINE = 'Could not import OneDL'
_NO_OPS_WARNING = 'Fail to import ``MultiScaleDeformableAttention``'
# mmseg's, of a hook whose drawing nobody asked for.
_NO_DRAWING_WARNING = 'The draw is False'

Around = Callable[[ModuleType], AbstractContextManager]


def around_import(name: str, around: Around) -> None:
    """Let a module be executed inside a context from now on.

    Args:
        name (str): Full name of a module that is not imported yet.
        around (Callable): Called with the module before it is executed; returns
            the context manager.
    """
    finders = [item for item in sys.meta_path if isinstance(item, _Finder)]
    if not finders:
        finders = [_Finder()]
        sys.meta_path.insert(0, finders[0])
    finders[0].arounds[name] = around


def quiet_imports() -> None:
    """Drop what mmseg and mmcv say at each start and no user can change.

    That is that OneDL's own data sets and mmcv's compiled operators are absent,
    which nothing here uses, and that a hook will not draw. Other output and warnings
    of theirs stay. Called by tools before they import more than the standard library.
    """
    warnings.filterwarnings('ignore', _NO_DRAWING_WARNING)
    for name in ('mmseg.datasets', 'mmcv.cnn.bricks.transformer'):
        around_import(name, _without_known_lines)


@contextmanager
def _without_known_lines(module: ModuleType) -> Iterator[None]:
    with warnings.catch_warnings(), redirect_stdout(_LineFilter(sys.stdout)):
        warnings.filterwarnings('ignore', _NO_OPS_WARNING)
        yield


class _LineFilter:
    """A text stream without one line."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.at_start, self.dropped = True, False

    def write(self, text: str) -> int:
        # print() writes the end of the line by itself.
        is_end = self.dropped and text == '\n'
        self.dropped = self.at_start and text == _ONEDL_LINE
        if text and not (is_end or self.dropped):
            self.stream.write(text)
            self.at_start = text.endswith('\n')
        return len(text)

    def __getattr__(self, name: str):
        return getattr(self.stream, name)


class _Finder:
    """Finds some modules as the other finders do.

    ``importlib.abc``, whose class it would inherit, takes longer to import than all
    of this package.
    """

    def __init__(self) -> None:
        self.arounds: dict[str, Around] = {}

    def find_spec(self, name: str, path=None, target=None) -> 'ModuleSpec | None':
        if name not in self.arounds:
            return None
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(name, path, target)
            if spec is not None and spec.loader is not None:
                loader: Any = _Loader(spec.loader, self.arounds[name])
                spec.loader = loader
                return spec
        return None


class _Loader:

    def __init__(self, loader: 'Loader', around: Around) -> None:
        self.loader, self.around = loader, around

    def create_module(self, spec: 'ModuleSpec') -> ModuleType | None:
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        # Whoever looks at the module later sees nothing unusual.
        module.__loader__ = self.loader
        if module.__spec__ is not None:
            module.__spec__.loader = self.loader
        with self.around(module):
            self.loader.exec_module(module)

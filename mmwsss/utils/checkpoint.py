# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Checkpoints that can do nothing but hold values.

``torch.load`` executes what a pickle says, and mmengine falls back to that.
Here a checkpoint is read with ``weights_only=True``, with mmengine's
``HistoryBuffer`` and numpy's numeric arrays and scalars allowed, and anything
else is an error.
"""

import codecs
import os
import os.path as osp
import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer

_NO_CHECKPOINTS = {
    b'<': 'a web page',
    b'version https://git-lfs': "a pointer of Git LFS, not the file's content"}

FORCE_SAFE = 'TORCH_FORCE_WEIGHTS_ONLY_LOAD'
"""The environment variable by which torch itself loads weights only."""


def load_checkpoint_file(path: str,
                         map_location: Any = 'cpu') -> dict[str, Any]:
    """Read a checkpoint file without executing anything that is in it.

    Args:
        path (str): A local file.
        map_location: As in :func:`torch.load`. Defaults to 'cpu'.

    Returns:
        dict: The checkpoint.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: Naming the file, if it is truncated, no checkpoint, or holds
            anything but tensors, plain Python values, numpy numbers and
            mmengine's log buffers.
    """
    path = osp.expanduser(os.fspath(path))
    if not osp.isfile(path):
        raise FileNotFoundError(f'checkpoint {path} does not exist')
    with open(path, 'rb') as file:
        begin = file.read(64).lstrip()
    for mark, kind in _NO_CHECKPOINTS.items():
        if begin.lower().startswith(mark):
            raise ValueError(f'checkpoint {path} is {kind}: download it again')
    try:
        content = _read(path, map_location)
    except pickle.UnpicklingError as error:
        reason = str(error).strip().splitlines()[-1]
        raise ValueError(
            f'checkpoint {path} is refused: it is damaged, or holds objects '
            'that may execute code on loading. Only tensors, plain Python '
            'values, numpy numbers and mmengine log buffers are allowed. '
            f'({reason})') from error
    except PermissionError:
        raise
    # A damaged file surfaces as any of a dozen exceptions.
    except Exception as error:
        raise ValueError(f'checkpoint {path} is not whole or no checkpoint: '
                         f'{error}') from error
    if not isinstance(content, dict):
        raise ValueError(f'checkpoint {path} holds a {type(content).__name__}, '
                         'expected a dict of weights')
    for key in ('state_dict', 'meta'):
        if not isinstance(content.get(key, {}), dict):
            raise ValueError(
                f'checkpoint {path}: {key} is a {type(content[key]).__name__}, '
                'expected a dict')
    for name in (*content, *content.get('state_dict', ())):
        if not isinstance(name, str):
            raise ValueError(f'checkpoint {path} holds something called {name!r}, '
                             'expected names of weights')
    return content


def load_weights(path: str,
                 keys: Sequence[str] = ('state_dict', )) -> dict[str, torch.Tensor]:
    """Read the weights of a checkpoint, with or without a dict around.

    Args:
        path (str): A local file, see :func:`load_checkpoint_file`.
        keys (Sequence[str]): Under which key they may lie. Defaults to
            ('state_dict', ).

    Raises:
        ValueError: Naming the file and the key, if one holds no tensor.
    """
    content = load_checkpoint_file(path)
    weights = next((content[key] for key in keys if key in content), content)
    if not isinstance(weights, dict):
        raise ValueError(f'checkpoint {path} holds a {type(weights).__name__}, '
                         'expected a dict of weights')
    for key, value in weights.items():
        if not isinstance(key, str) or not isinstance(value, torch.Tensor):
            raise ValueError(f'checkpoint {path}: {key!r} is a '
                             f'{type(value).__name__}, expected weights by name')
    return weights


def check_weights(given: Mapping[str, torch.Tensor],
                  wanted: Mapping[str, torch.Tensor]) -> None:
    """Refuse weights of another network.

    Args:
        given (Mapping[str, Tensor]): The weights.
        wanted (Mapping[str, Tensor]): A state dict of the network.

    Raises:
        ValueError: Naming the keys, if some are left over, missing or of another
            shape.
    """
    wrong = [key for key in wanted.keys() & given.keys()
             if wanted[key].shape != given[key].shape]
    for words, keys in (('no source for', wanted.keys() - given.keys()),
                        ('no use for', given.keys() - wanted.keys()),
                        ('another shape of', wrong)):
        if keys:
            raise ValueError(f'{words} {sorted(keys)[:5]} ({len(keys)})')


def _history_statistic(owner: Any, name: str) -> Callable:
    """What ``getattr`` is needed for in a checkpoint: buffers' own methods.

    A pickled ``HistoryBuffer`` refers to its methods by ``getattr``, which
    itself must not be callable from a pickle: it reaches everything.
    """
    HistoryBuffer()  # The first one made fills the table of its methods.
    if owner is HistoryBuffer and name in HistoryBuffer._statistics_methods:
        return HistoryBuffer._statistics_methods[name]
    raise pickle.UnpicklingError(
        f'getattr({owner}, {name!r}) is not allowed in a checkpoint')


def numpy_globals() -> dict[str, Any]:
    """The names that pickled arrays and scalars of numbers refer to."""
    allowed = {
        # How protocol 2 writes bytes; newer torch allows it by itself.
        '_codecs.encode': codecs.encode,
        'numpy.ndarray': np.ndarray,
        'numpy.dtype': np.dtype,
    }
    # numpy 2 renamed ``core``; checkpoints of either age are read by either.
    for module in ('numpy.core.multiarray', 'numpy._core.multiarray'):
        allowed[f'{module}._reconstruct'] = np.array(0).__reduce__()[0]
        allowed[f'{module}.scalar'] = np.float64(0).__reduce__()[0]
    for kind in '?bhilqBHILQefd':
        number_type = type(np.dtype(kind))
        allowed[f'{number_type.__module__}.{number_type.__qualname__}'] = \
            number_type
    return allowed


def _read(path: str, map_location: Any) -> Any:
    allowed = {
        'builtins.getattr': _history_statistic,
        'mmengine.logging.history_buffer.HistoryBuffer': HistoryBuffer,
        **numpy_globals()}
    if tuple(map(int, torch.__version__.split('.')[:2])) >= (2, 6):
        pairs: list = [(value, name) for name, value in allowed.items()]
        with torch.serialization.safe_globals(pairs):
            return torch.load(
                path, map_location=map_location, weights_only=True)
    # Older torch cannot extend its list: the same list for pickle itself.
    with _without_forced_safety():
        return torch.load(
            path,
            map_location=map_location,
            pickle_module=_restricted_pickle(allowed),
            weights_only=False)


def _restricted_pickle(allowed: dict[str, Any]) -> SimpleNamespace:
    """A pickle module for :func:`torch.load` that knows few names."""
    from torch._weights_only_unpickler import _get_allowed_globals
    unpickler = restricted_unpickler({**_get_allowed_globals(), **allowed})

    def load(file: Any, **kwargs) -> Any:
        return unpickler(file, **kwargs).load()

    return SimpleNamespace(
        __name__='restricted_pickle', Unpickler=unpickler, load=load)


def restricted_unpickler(allowed: dict[str, Any]) -> type[pickle.Unpickler]:
    """A kind of unpickler that knows plain Python values and few names.

    Args:
        allowed (dict[str, Any]): What each of them stands for, by full name.
    """

    class Unpickler(pickle.Unpickler):

        def find_class(self, module: str, name: str) -> Any:
            # Protocol 2 writes this module's name of Python 2.
            module = module.replace('__builtin__', 'builtins')
            full_name = f'{module}.{name}'
            if full_name not in allowed:
                raise pickle.UnpicklingError(
                    f'{full_name} is not allowed, expected numbers only')
            return allowed[full_name]

    return Unpickler


@contextmanager
def _without_forced_safety() -> Iterator[None]:
    forced = os.environ.pop(FORCE_SAFE, None)
    try:
        yield
    finally:
        if forced is not None:
            os.environ[FORCE_SAFE] = forced

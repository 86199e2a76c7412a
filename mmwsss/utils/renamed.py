# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Names of before, which users' configs may still hold.

They keep working, with one line of warning: the type of a part by ``PARTS``, a
variable of a config by ``VARIABLES``, an argument of a part by
:func:`renamed_arguments`.
"""

import functools
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmengine.config import Config

PARTS = dict(
    MODELS=dict(StemTapResNet='StemResNet'),
    TRANSFORMS=dict(LoadPhoto='LoadPILImage', SeedAugmentation='SetRandomState'))
"""Registry of ``mmseg.registry`` -> type before -> type now."""

VARIABLES = dict(threshold='bg_thr')
"""Variable at the top of a config before -> now."""

STEP_KEYS = dict(threshold='bg_thr')
"""Key of a recipe's step before -> now."""


@functools.cache
def warn_renamed(old: str, new: str) -> None:
    """Say once in a process that a name has changed."""
    from mmengine.logging import print_log
    print_log(f'{old} is called {new} now: please rename it in your config',
              logger='current', level=logging.WARNING)


def renamed_arguments(**names: str) -> Callable[[Callable], Callable]:
    """Let a function or ``__init__`` take arguments by their names of before.

    Where both are given, the old one counts: it is the user's, the new one that of
    the config that the user's inherits.

    Args:
        **names (str): Name now, by name before.

    Example:
        >>> @renamed_arguments(bg_score='bg_thr')
        ... def __init__(self, bg_thr=0.2): ...
    """

    def decorate(function: Callable) -> Callable:

        @functools.wraps(function)
        def with_old_names(*args, **kwargs):
            for old in names.keys() & kwargs.keys():
                warn_renamed(old, names[old])
                kwargs[names[old]] = kwargs.pop(old)
            return function(*args, **kwargs)

        vars(with_old_names)['old_names'] = frozenset(names)
        return with_old_names

    return decorate


def rename_variables(cfg: 'Config', names: dict[str, str] = VARIABLES) -> None:
    """Bring the variables of a config to their names of now, in place.

    Args:
        cfg (Config): The config; what it holds by an old name is merged into what
            the config that it inherits holds by the new one.
        names (dict[str, str]): Name now, by name before. Defaults to
            ``VARIABLES``.
    """
    for old in names.keys() & cfg.keys():
        warn_renamed(old, names[old])
        cfg.merge_from_dict({names[old]: cfg.pop(old)})


def renamed_options(options: dict) -> dict:
    """Settings by dotted key, with the names of now for variables of a config."""
    result = {}
    for key, value in options.items():
        top, dot, rest = key.partition('.')
        if top in VARIABLES:
            warn_renamed(top, VARIABLES[top])
            top = VARIABLES[top]
        result[top + dot + rest] = value
    return result

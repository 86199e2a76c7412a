# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Names of before, which users' configs may still hold.

They keep working, with one line of warning each: types (``PARTS``) and arguments
(``ARGUMENTS``) of parts, keys of meta information (``META_KEYS``) and what recipes say
(``RECIPES``). Configs get the names of now as soon as they are read, so that options
by either name have their effect.
"""

import functools
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .nested import iter_dicts, map_strings

if TYPE_CHECKING:
    from mmengine.config import Config

PARTS = dict(
    MODELS=dict(SEAM='WeakSegmentor', StemTapResNet='StemResNet'),
    TRANSFORMS=dict(LoadPhoto='LoadPILImage', SeedAugmentation='SetRandomState'))
"""Registry of ``mmseg.registry`` -> type before -> type now."""

DEFAULTS = dict(SEAM=dict(second_view=0.3))
"""Type before -> arguments whose defaults were its own."""

_THRESHOLD = dict(threshold='bg_thr')
_SCORE = dict(bg_score='bg_thr')
_TAPS = dict(size_tap='size_index', detach_taps='detach_inputs',
             tap_channels='reduced_channels')
ARGUMENTS = dict(
    CAMTTAModel=_THRESHOLD, SaliencyLabel=_THRESHOLD, SeedMetric=_THRESHOLD,
    ThresholdLabel=_THRESHOLD, WalkInstances=_THRESHOLD, WalkLabel=_THRESHOLD,
    CAMHead=_SCORE, ESOLHead=_SCORE, NGWPHead=_SCORE, SANCE=_SCORE, SEAMHead=_SCORE,
    AffinityHead=_TAPS, ContourHead=_TAPS, DisplacementHead=_TAPS)
"""Type of a part -> its argument before -> now."""

META_KEYS = dict(image_labels='tags')
"""What ``meta_keys`` of a transform that packs may list, before -> now."""

RECIPES = dict(threshold='bg_thr')
"""Variable of a recipe, or key of a step or of a report's column, before -> now."""


@functools.cache
def warn_renamed(old: str, new: str) -> None:
    """Say once in a process that a name has changed."""
    # Not to standard output, which may be a script or a number.
    print(f'warning: {old} is called {new} now: please rename it',
          file=sys.stderr)


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


def rename_parts(node: Any) -> None:
    """Bring types and arguments in a config to their names of now, in place.

    Args:
        node (Any): The config, or a dict or list in it.
    """
    for part in iter_dicts(node):
        kind = part.get('type')
        if isinstance(kind, str):
            for names in PARTS.values():
                if kind in names:
                    warn_renamed(kind, names[kind])
                    part['type'] = names[kind]
                    for key, value in DEFAULTS.get(kind, {}).items():
                        part.setdefault(key, value)
            _rename_keys(part, ARGUMENTS.get(kind.rpartition('.')[2], {}))
        for old, new in META_KEYS.items():
            keys = part.get('meta_keys')
            if isinstance(keys, (list, tuple)) and old in keys:
                warn_renamed(old, new)
                part['meta_keys'] = [new if key == old else key for key in keys]


def rename_in_recipe(cfg: 'Config') -> None:
    """Bring variables, keys of steps and columns, and references of a recipe to
    their names of now.

    Args:
        cfg (Config): The recipe; changes in place.
    """
    _rename_keys(cfg, RECIPES)
    steps = _dicts(cfg.get('steps'))
    for step in steps:
        _rename_keys(step, RECIPES)
        for section in _dicts(step.get('sections')):
            for column in _dicts(section.get('columns')):
                _rename_keys(column, RECIPES)
    named = [step.get('name') for step in steps]
    references = {f'{{{old}}}': f'{{{new}}}' for old, new in RECIPES.items()
                  if new in cfg and old not in named}

    def rename(text: str) -> str:
        for old, new in references.items():
            text = text.replace(old, new)
        return text

    if steps:
        cfg.steps = map_strings(cfg.steps, rename)


def _dicts(value: Any) -> list[dict]:
    """The dicts in a list; whether it is one is for others to say."""
    items = value if isinstance(value, (list, tuple)) else []
    return [item for item in items if isinstance(item, dict)]


def _rename_keys(node: Any, names: dict[str, str]) -> None:
    for old in [key for key in names if key in node]:
        warn_renamed(old, names[old])
        node[names[old]] = node.pop(old)

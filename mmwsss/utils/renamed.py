# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Names of before, which users' configs may still hold.

They keep working, with one line of warning each: types (``PARTS``) and arguments
(``ARGUMENTS``) of parts, and what recipes say (``RECIPES``). Configs get the names
of now as soon as they are read, so that options by either name have their effect.
"""

import functools
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mmengine.config import Config

PARTS = dict(
    MODELS=dict(StemTapResNet='StemResNet'),
    TRANSFORMS=dict(LoadPhoto='LoadPILImage', SeedAugmentation='SetRandomState'))
"""Registry of ``mmseg.registry`` -> type before -> type now."""

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

RECIPES = dict(threshold='bg_thr')
"""Variable of a recipe, or key of a step or of a report's column, before -> now."""


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


def rename_parts(node: Any) -> None:
    """Bring types and arguments in a config to their names of now, in place.

    Args:
        node (Any): The config, or a dict or list in it.
    """
    if isinstance(node, dict):
        kind = node.get('type')
        if isinstance(kind, str):
            for names in PARTS.values():
                if kind in names:
                    warn_renamed(kind, names[kind])
                    node['type'] = names[kind]
            _rename_keys(node, ARGUMENTS.get(kind.rpartition('.')[2], {}))
        node = list(node.values())
    if isinstance(node, (list, tuple)):
        for item in node:
            rename_parts(item)


def rename_in_recipe(cfg: 'Config') -> None:
    """Bring variables, keys and references of a recipe to their names of now.

    Args:
        cfg (Config): The recipe; changes in place.
    """
    _rename_keys(cfg, RECIPES)
    steps = cfg.get('steps')
    named = [step.get('name') for step in steps or [] if isinstance(step, dict)]
    references = {f'{{{old}}}': f'{{{new}}}' for old, new in RECIPES.items()
                  if new in cfg and old not in named}

    def rename(node: Any) -> Any:
        if isinstance(node, dict):
            result = {key: rename(value) for key, value in node.items()}
            _rename_keys(result, RECIPES)
            return result
        if isinstance(node, (list, tuple)):
            return type(node)(map(rename, node))
        return references.get(node, node) if isinstance(node, str) else node

    if steps is not None:
        cfg.steps = rename(steps)


def _rename_keys(node: Any, names: dict[str, str]) -> None:
    for old in [key for key in names if key in node]:
        warn_renamed(old, names[old])
        node[names[old]] = node.pop(old)

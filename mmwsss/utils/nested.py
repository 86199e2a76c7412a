# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Dicts and strings in nested dicts and lists, as configs are."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any


def iter_dicts(value: Any) -> Iterator[dict]:
    """All dicts, outer ones first; each may be changed when it comes."""
    return (part for _, part in dicts_by_key(value))


def dicts_by_key(value: Any, key: str = '') -> Iterator[tuple[str, dict]]:
    """As :func:`iter_dicts`, with the dotted key of each below that of the value."""
    if isinstance(value, dict):
        yield key, value
        items = list(value.items())
    else:
        items = list(enumerate(value)) if isinstance(value, (list, tuple)) else []
    for name, item in items:
        yield from dicts_by_key(item, f'{key}.{name}' if key else str(name))


def innermost_dataset(loader: Mapping[str, Any] | None) -> Any:
    """The config of a loader's dataset without those that repeat or reduce it.

    Args:
        loader (Mapping, optional): The config of a data loader.

    Returns:
        Mapping: The config; empty where there is no dataset.
    """
    dataset: Mapping[str, Any] = (loader or {}).get('dataset') or {}
    while 'dataset' in dataset:
        dataset = dataset['dataset']
    return dataset


def map_strings(value: Any, change: Callable[[str], Any]) -> Any:
    """A copy with all strings changed, keys left out.

    Dicts of any kind, such as mmengine's ``ConfigDict``, become plain ones.
    """
    if isinstance(value, dict):
        return {key: map_strings(item, change) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(map_strings(item, change) for item in value)
    return change(value) if isinstance(value, str) else value


def all_strings(value: Any) -> list[str]:
    """All strings, in order, keys left out."""
    found: list[str] = []
    map_strings(value, found.append)
    return found

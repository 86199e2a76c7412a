# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Strings in nested dicts and lists, as configs are."""

from collections.abc import Callable
from typing import Any


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

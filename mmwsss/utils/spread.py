# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Some images instead of all."""

from collections.abc import Sequence
from typing import TypeVar

_Item = TypeVar('_Item')

MOST_IMAGES = dict(choose=200, check=1000)
"""How many images a step looks at, however many there are."""


def spread_evenly(items: Sequence[_Item], most: int) -> list[_Item]:
    """Items at even distances, from the first to the last, in their order.

    Args:
        items (Sequence): What to take them from.
        most (int): How many; all where there are fewer.

    Example:
        >>> spread_evenly('abcdefg', 3)
        ['a', 'd', 'g']
    """
    count = min(most, len(items))
    step = (len(items) - 1) / max(1, count - 1)
    return [items[round(i * step)] for i in range(count)]

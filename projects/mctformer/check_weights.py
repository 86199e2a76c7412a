# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def check_weights(given: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> None:
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

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""In which views a test pipeline shows its images."""

from collections.abc import Mapping, Sequence
from typing import Any

from .nested import iter_dicts

_RESIZES = ('PILRescale', 'Resize')


def read_views(pipeline: Sequence[Mapping[str, Any]]) -> tuple[str, bool]:
    """The scales of a test pipeline, and whether it flips.

    Args:
        pipeline (Sequence[Mapping]): Configs of transforms.

    Returns:
        tuple[str, bool]: Such as ``('0.5, 1, 1.5', True)``; ``'1'`` where nothing
        resizes.
    """
    scales: list[str] = []
    flips = False
    for transform in iter_dicts(pipeline):
        kind = str(transform.get('type')).rpartition('.')[2]
        if kind in _RESIZES:
            scale = transform.get('scale_factor', transform.get('scale'))
            scales.append(f'{scale:g}' if isinstance(scale, (int, float)) else
                          ' x '.join(map(str, scale)) if scale else 'other')
        if kind == 'RandomFlip' and transform.get('prob'):
            flips = True
    return ', '.join(sorted(dict.fromkeys(scales or ['1']), key=_as_number)), flips


def _as_number(text: str) -> tuple[float, str]:
    try:
        return float(text), text
    except ValueError:
        return float('inf'), text

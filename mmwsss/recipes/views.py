# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""In which views a config shows its images."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_RESIZES = ('PILRescale', 'Resize')


def describe_views(pipeline: Sequence[Mapping[str, Any]]) -> str:
    """The scales of a test pipeline, and whether it flips.

    Args:
        pipeline (Sequence[Mapping]): Configs of transforms.

    Returns:
        str: Such as ``'0.5, 1, 1.5 and flips'``; ``'1'`` where nothing resizes.
    """
    scales: list[str] = []
    flips = False
    for transform in _all_transforms(pipeline):
        kind = str(transform.get('type')).rpartition('.')[2]
        if kind in _RESIZES:
            scale = transform.get('scale_factor', transform.get('scale'))
            scales.append(f'{scale:g}' if isinstance(scale, (int, float)) else
                          ' x '.join(map(str, scale)) if scale else 'other')
        if kind == 'RandomFlip' and transform.get('prob'):
            flips = True
    ordered = sorted(dict.fromkeys(scales or ['1']), key=_as_number)
    return ', '.join(ordered) + (' and flips' if flips else '')


def step_views(step_type: str, config: Mapping[str, Any],
               tta: bool = False) -> str | None:
    """The views of a step that looks at images; None of others.

    Args:
        step_type (str): The step's type in a recipe.
        config (Mapping): Its resolved config.
        tta (bool): Whether a test takes ``tta_pipeline``. Defaults to False.
    """
    if step_type in ('seeds', 'walk'):
        pipeline = _pipeline_of(config.get('seed_dataloader'))
    elif step_type == 'test':
        pipeline = config.get('tta_pipeline') if tta else _pipeline_of(
            config.get('test_dataloader'))
    else:
        return None
    return describe_views(pipeline) if pipeline else None


def _pipeline_of(loader: Mapping[str, Any] | None) -> Any:
    dataset: Mapping[str, Any] = (loader or {}).get('dataset') or {}
    while 'dataset' in dataset:
        dataset = dataset['dataset']
    return dataset.get('pipeline')


def _all_transforms(node: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(node, (list, tuple)):
        for item in node:
            yield from _all_transforms(item)
    elif isinstance(node, Mapping):
        yield node
        yield from _all_transforms(node.get('transforms') or ())


def _as_number(text: str) -> tuple[float, str]:
    try:
        return float(text), text
    except ValueError:
        return float('inf'), text

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""A run as one HTML page that needs no other file."""

import base64
import io
import os.path as osp
from collections.abc import Mapping, Sequence

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from PIL import Image, ImageOps

from mmwsss.recipes.process import format_seconds

from .report_rows import Section

_LONG_SIDE = 320


def render_report(title: str,
                  sections: Sequence[Section],
                  steps: Sequence[Mapping] = (),
                  curves: Mapping[str, str] | None = None,
                  protocol: Mapping[str, str] | None = None,
                  headline: Sequence[Mapping] = (),
                  version: str = '') -> str:
    """Write the page.

    Args:
        title (str): Title of the page.
        sections (Sequence[Section]): The pictures.
        steps (Sequence[Mapping]): Dicts of ``name``, ``type``, ``seconds``,
            ``numbers`` (name -> text) and optionally ``protocol``, the line
            that the tool printed beside its numbers.
        curves (Mapping[str, str], optional): Title -> ``<svg>`` element.
        protocol (Mapping[str, str], optional): What must be known to compare
            the numbers with others: name -> text.
        headline (Sequence[Mapping]): Dicts of ``title``, ``value`` (a number)
            and optionally ``full``, the number that counts as 100 %, to stand
            at the top.
        version (str): Version of mmwsss. Defaults to ''.

    Returns:
        str: HTML without scripts and without links to other files.
    """
    facts = [f'mmwsss {version}'] if version else []
    if steps:
        total = sum(step.get('seconds') or 0 for step in steps)
        facts.insert(0, f'{len(steps)} steps in {format_seconds(total)}')
    environment = Environment(
        loader=FileSystemLoader(osp.dirname(__file__)), autoescape=True,
        trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined)
    environment.filters.update(data_uri=_data_uri, duration=format_seconds)
    return environment.get_template('report.html').render(
        title=title, facts=facts, headline=headline, sections=sections,
        curves=curves or {}, steps=steps, protocol=protocol or {})


def _data_uri(picture: np.ndarray) -> str:
    """A picture of a table's size, within the page."""
    image = Image.fromarray(np.ascontiguousarray(picture))
    kind, options = 'PNG', {}
    if max(image.size) > _LONG_SIDE:
        image = ImageOps.contain(
            image, (_LONG_SIDE, _LONG_SIDE), Image.Resampling.LANCZOS)
        kind, options = 'JPEG', dict(quality=88)
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    data = base64.b64encode(stream.getvalue()).decode()
    return f'data:image/{kind.lower()};base64,{data}'

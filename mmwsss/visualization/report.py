# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""A run as one HTML page that needs no other file."""

import base64
import hashlib
import io
import json
import os.path as osp
from collections.abc import Mapping, Sequence

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from PIL import Image, ImageOps

from mmwsss.recipes.process import format_seconds

from .report_rows import Section

_LONG_SIDE = 320
_CHECK_SIDE = 8000
"""Of the pictures of a check, tall sheets of many images."""


def render_report(title: str,
                  sections: Sequence[Section],
                  steps: Sequence[Mapping] = (),
                  curves: Mapping[str, str] | None = None,
                  protocol: Mapping[str, str] | None = None,
                  headline: Sequence[Mapping] = (),
                  version: str = '',
                  images: Sequence[Mapping] = (),
                  checks: Sequence[Mapping] = (),
                  files: Mapping[str, str] | None = None) -> str:
    """Write the page.

    Args:
        title (str): Title of the page.
        sections (Sequence[Section]): The pictures.
        steps (Sequence[Mapping]): Dicts of ``name``, ``type``, ``seconds``,
            ``numbers`` (name -> text) and optionally ``protocol``, the line
            that the tool printed beside its numbers, and ``folder``, a path
            relative to the page.
        curves (Mapping[str, str], optional): Title -> ``<svg>`` element.
        protocol (Mapping[str, str], optional): What must be known to compare
            the numbers with others: name -> text.
        headline (Sequence[Mapping]): Dicts of ``title``, ``value`` (a number)
            and optionally ``full``, the number that counts as 100 %, to stand
            at the top.
        version (str): Version of mmwsss. Defaults to ''.
        images (Sequence[Mapping]): Sets of which every image can be looked at:
            what :func:`~mmwsss.visualization.report_images.collect_every_image` gives.
        checks (Sequence[Mapping]): What a run said of itself: dicts of ``title``,
            ``status`` (``'ok'``, ``'warning'`` or ``'failed'``), ``text`` and
            optionally ``pictures``, RGB uint8 arrays ``(H, W, 3)``.
        files (Mapping[str, str], optional): Title -> path relative to the page.

    Returns:
        str: HTML that needs no other file. Its policy lets nothing run but its own
        script, which is there only with ``images``, and nothing be loaded.
    """
    facts = [f'mmwsss {version}'] if version else []
    if steps:
        total = sum(step.get('seconds') or 0 for step in steps)
        facts.insert(0, f'{len(steps)} steps in {format_seconds(total)}')
    environment = Environment(
        loader=FileSystemLoader(osp.dirname(__file__)), autoescape=True,
        trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined)
    environment.filters.update(
        data_uri=_data_uri, duration=format_seconds, embedded=_embedded)
    with open(osp.join(osp.dirname(__file__), 'report.js'), encoding='utf-8') as file:
        script = file.read()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
              f"script-src 'sha256-{digest}'")
    return environment.get_template('report.html').render(
        title=title, facts=facts, headline=headline, sections=sections,
        curves=curves or {}, steps=steps, protocol=protocol or {}, images=images,
        checks=checks, check_side=_CHECK_SIDE, files=files or {}, script=script,
        policy=policy)


def _embedded(value: Mapping) -> str:
    """JSON inside of a script element, which only '<' could leave."""
    text = json.dumps(value, ensure_ascii=True, separators=(',', ':'))
    return text.replace('<', '\\u003c')


def _data_uri(picture: np.ndarray, long_side: int = _LONG_SIDE) -> str:
    """A picture of a table's size, or another, within the page."""
    image = Image.fromarray(np.ascontiguousarray(picture))
    kind, options = 'PNG', {}
    if max(image.size) > _LONG_SIDE:
        if max(image.size) > long_side:
            image = ImageOps.contain(
                image, (long_side, long_side), Image.Resampling.LANCZOS)
        kind, options = 'JPEG', dict(quality=88)
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    data = base64.b64encode(stream.getvalue()).decode()
    return f'data:image/{kind.lower()};base64,{data}'

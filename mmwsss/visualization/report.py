# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""A run as one HTML page that needs no other file."""

import base64
import html
import io
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image

from mmwsss.pipeline.process import format_seconds

from .report_rows import Cell, Row, Section

_LONG_SIDE = 320
_STYLE = """
:root { color-scheme: light dark; --ink: #1c1e21; --paper: #fff; --soft: #61676e;
  --line: #dfe2e6; --card: #f5f6f8; --good: #1a7f4b; --bad: #b4452c; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --paper: #15171a;
  --soft: #9aa1a9; --line: #31353b; --card: #1f2227; --good: #5fc48f;
  --bad: #e8876e; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.5rem 4rem; max-width: 1500px;
  background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1 { font-size: 1.8rem; margin: 0 0 .2rem; letter-spacing: -.01em; }
h2 { font-size: 1.2rem; margin: 2.6rem 0 .3rem; }
p { margin: .2rem 0 .8rem; } .soft, figcaption, th { color: var(--soft); }
.soft { font-size: .9rem; max-width: 75ch; }
.cards { display: flex; flex-wrap: wrap; gap: .8rem; margin: 1.4rem 0 0; }
.card { background: var(--card); border: 1px solid var(--line);
  border-radius: 10px; padding: .8rem 1.1rem; min-width: 10.5rem; }
.card b { display: block; font-size: 1.7rem; line-height: 1.25;
  font-variant-numeric: tabular-nums; }
.card span { color: var(--soft); font-size: .85rem; display: block; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; }
th { font-weight: 600; font-size: .85rem; text-align: left; padding: .3rem .5rem; }
.pictures td { padding: .2rem .25rem; vertical-align: top; }
.pictures th { text-align: center; padding: .3rem .25rem; }
figure { margin: 0; width: 158px; }
img { display: block; width: 100%; border-radius: 5px; }
figcaption { font-size: .8rem; text-align: center; min-height: 1.2rem;
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.best { color: var(--good); font-weight: 600; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; margin: .6rem 0;
  font-size: .88rem; }
.legend i { display: inline-block; width: .85rem; height: .85rem;
  border-radius: 3px; margin-right: .4rem; vertical-align: -.1rem; }
.steps td { border-top: 1px solid var(--line); padding: .35rem .9rem .35rem .5rem;
  font-size: .92rem; vertical-align: top; }
.steps { min-width: 60%; } .number { text-align: right; white-space: nowrap;
  font-variant-numeric: tabular-nums; }
.pair { display: inline-block; margin-right: 1.1rem; white-space: nowrap; }
.pair b { font-variant-numeric: tabular-nums; }
svg { max-width: 100%; height: auto; }
ul { margin: .3rem 0; padding-left: 1.2rem; font-size: .92rem; }
code { font-size: .9em; }
"""


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
    body = [f'<h1>{_text(title)}</h1>']
    total = sum(step.get('seconds') or 0 for step in steps)
    facts = [f'{len(steps)} steps in {format_seconds(total)}'] if steps else []
    facts += [f'mmwsss {version}'] if version else []
    body.append(f'<p class="soft">{_text(" · ".join(facts))}</p>')
    if headline:
        cards = ''.join(_card(entry) for entry in headline)
        body.append(f'<div class="cards">{cards}</div>')
    body += [_section(section) for section in sections]
    for name, svg in (curves or {}).items():
        body.append(f'<h2>{_text(name)}</h2><div class="scroll">{svg}</div>')
    if steps:
        body.append(_steps(steps))
    lines = [f'<b>{_text(key)}</b>: {_text(value)}'
             for key, value in (protocol or {}).items()]
    lines += [f'<code>{_text(step["name"])}</code>: {_text(step["protocol"])}'
              for step in steps if step.get('protocol')]
    if lines:
        items = ''.join(f'<li>{line}</li>' for line in lines)
        body.append(f'<h2>Protocol</h2><ul>{items}</ul>')
    return ('<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f'<title>{_text(title)}</title>\n<style>{_STYLE}</style></head>\n'
            '<body>\n' + '\n'.join(body) + '\n</body></html>\n')


def _text(value: object) -> str:
    return html.escape(str(value))


def _card(entry: Mapping) -> str:
    note = ''
    if entry.get('full'):
        share = 100 * entry['value'] / entry['full']
        note = f'<span>{share:.0f} % of {entry["full"]:.1f} with full masks</span>'
    elif entry.get('note'):
        note = f'<span>{_text(entry["note"])}</span>'
    return (f'<div class="card"><span>{_text(entry["title"])}</span>'
            f'<b>{entry["value"]:.1f}</b>{note}</div>')


def _section(section: Section) -> str:
    scored = any(cell.iou is not None for row in section.rows for cell in row.cells)
    text = (f'{len(section.rows)} of {section.photos} photos, ')
    text += (f'evenly spread from the best to the worst “{_text(section.ranked_by)}”. '
             'Under each picture its IoU in %: the mean over the classes that it '
             'or the ground truth shows, background included. A white line is '
             'the border that the threshold draws in a seed.'
             if scored else 'evenly spread over the list.')
    head = ''.join(f'<th>{_text(name)}</th>' for name in section.columns)
    rows = ''.join(_row(row) for row in section.rows)
    legend = ''.join(
        f'<span><i style="background: rgb({r}, {g}, {b})"></i>{_text(name)}</span>'
        for name, (r, g, b) in section.classes.items())
    return (f'<h2>{_text(section.title)}</h2><p class="soft">{text}</p>'
            f'<div class="legend">{legend}</div><div class="scroll">'
            f'<table class="pictures"><thead><tr>{head}</tr></thead>'
            f'<tbody>{rows}</tbody></table></div>')


def _row(row: Row) -> str:
    ious = [round(cell.iou) for cell in row.cells if cell.iou is not None]
    cells = []
    for index, cell in enumerate(row.cells):
        caption, mark = '', ''
        if index == 0:
            caption = _text(', '.join(row.tags) or row.name)
        elif cell.iou is not None:
            caption = f'IoU {cell.iou:.0f}'
            mark = ' class="best"' if round(cell.iou) == max(ious) else ''
        cells.append(f'<td><figure><img src="{_data_uri(cell)}" '
                     f'alt="{_text(row.name)}" title="{_text(row.name)}">'
                     f'<figcaption{mark}>{caption}</figcaption></figure></td>')
    return f'<tr>{"".join(cells)}</tr>'


def _data_uri(cell: Cell) -> str:
    picture = Image.fromarray(np.ascontiguousarray(cell.picture))
    scale = _LONG_SIDE / max(picture.size)
    if scale < 1:
        size = tuple(max(1, round(length * scale)) for length in picture.size)
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    if scale < 1:
        picture.save(stream, 'JPEG', quality=88)
        kind = 'jpeg'
    else:
        picture.save(stream, 'PNG')
        kind = 'png'
    data = base64.b64encode(stream.getvalue()).decode()
    return f'data:image/{kind};base64,{data}'


def _steps(steps: Sequence[Mapping]) -> str:
    rows = ''
    for step in steps:
        seconds = step.get('seconds')
        numbers = ''.join(
            f'<span class="pair">{_text(name)} <b>{_text(value)}</b></span>'
            for name, value in step.get('numbers', {}).items())
        rows += (f'<tr><td>{_text(step["name"])}</td>'
                 f'<td class="soft">{_text(step["type"])}</td><td class="number">'
                 f'{"" if seconds is None else format_seconds(seconds)}</td>'
                 f'<td>{numbers}</td></tr>')
    return ('<h2>Steps</h2><div class="scroll"><table class="steps"><thead><tr>'
            '<th>Step</th><th>Type</th><th class="number">Time</th><th>Numbers</th>'
            f'</tr></thead><tbody>{rows}</tbody></table></div>')

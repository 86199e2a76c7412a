# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""The pictures of a report as one image."""

from collections.abc import Sequence
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mmwsss.utils import atomic_write

from .report_rows import Section

_PAD = 10
_PAPER, _INK, _GREY = (255, 255, 255), (28, 30, 33), (110, 115, 122)


def draw_contact_sheet(sections: Sequence[Section],
                       title: str = '',
                       cell: int = 190) -> np.ndarray:
    """Lay out sections below each other, a row an image.

    Args:
        sections (Sequence[Section]): What to draw.
        title (str): Stands at the top. Defaults to ''.
        cell (int): Width of a picture in pixels. Defaults to 190.

    Returns:
        np.ndarray: RGB, uint8 ``(H, W, 3)``.
    """
    columns = max(len(section.columns) for section in sections)
    width = columns * (cell + _PAD) + _PAD
    blocks = [_text_block(width, title, 26, _INK)] if title else []
    for section in sections:
        blocks.append(_text_block(width, section.title, 19, _INK))
        blocks.append(_header(section, width, cell))
        blocks += [_row(row.cells, row.tags, width, cell) for row in section.rows]
        blocks.append(_legend(section, width))
    sheet = Image.new('RGB', (width, sum(block.height for block in blocks) + _PAD),
                      _PAPER)
    top = 0
    for block in blocks:
        sheet.paste(block, (0, top))
        top += block.height
    return np.asarray(sheet)


def save_contact_sheet(path: str, sections: Sequence[Section],
                       title: str = '') -> None:
    """Write what :func:`draw_contact_sheet` draws as a PNG file."""
    with atomic_write(path) as file:
        Image.fromarray(draw_contact_sheet(sections, title)).save(file, 'PNG')


def _font(size: int, text: str = '') -> ImageFont.FreeTypeFont:
    """A font for a text, in whatever script it is."""
    return ImageFont.truetype(find_font(frozenset(text)), size)


@cache
def find_font(characters: frozenset[str]) -> str:
    """The file of a font: DejaVu Sans, unless another of this machine has more.

    Args:
        characters (frozenset[str]): What it should have.
    """
    from matplotlib.font_manager import findfont, fontManager
    plain = findfont('DejaVu Sans')
    if characters <= _glyphs(plain):
        return plain
    # That one has a box for each character.
    others = {font.fname for font in fontManager.ttflist if font.style == 'normal'
              and font.weight == 400 and not font.name.startswith('Last Resort')}
    return max([plain, *sorted(others)], key=lambda path: len(
        characters & _glyphs(path)))


@cache
def _glyphs(path: str) -> frozenset[str]:
    """The characters that a font has; none, if it cannot be read."""
    from matplotlib.ft2font import FT2Font
    try:
        return frozenset(map(chr, FT2Font(path).get_charmap()))
    except (OSError, RuntimeError):
        return frozenset()


def _text_block(width: int, text: str, size: int, color: tuple) -> Image.Image:
    block = Image.new('RGB', (width, size * 2), _PAPER)
    ImageDraw.Draw(block).text(
        (_PAD, size // 2), text, color, _font(size, text))
    return block


def _header(section: Section, width: int, cell: int) -> Image.Image:
    block = Image.new('RGB', (width, 24), _PAPER)
    draw = ImageDraw.Draw(block)
    for i, name in enumerate(section.columns):
        center = _PAD + i * (cell + _PAD) + cell // 2
        draw.text((center, 12), _fit(name, cell, 14), _INK, _font(14, name),
                  anchor='mm')
    return block


def _row(cells, tags: list[str], width: int, cell: int) -> Image.Image:
    height, length = cells[0].picture.shape[:2]
    tall = min(round(cell * height / length), round(cell * 1.5))
    block = Image.new('RGB', (width, tall + 24), _PAPER)
    draw = ImageDraw.Draw(block)
    for i, one in enumerate(cells):
        left = _PAD + i * (cell + _PAD)
        picture = Image.fromarray(one.picture)
        scale = min(cell / length, tall / height)
        size = (max(1, round(length * scale)), max(1, round(height * scale)))
        picture = picture.resize(size, Image.Resampling.LANCZOS)
        block.paste(picture, (left + (cell - size[0]) // 2, 0))
        if i == 0:
            text, color = ', '.join(tags), _GREY
        else:
            text, color = '' if one.iou is None else f'IoU {one.iou:.0f}', _INK
        draw.text((left + cell // 2, tall + 11), _fit(text, cell, 13), color,
                  _font(13, text), anchor='mm')
    return block


def _legend(section: Section, width: int) -> Image.Image:
    font, left, top = _font(13, ''.join(section.classes)), _PAD, 4
    places = []
    for name, color in section.classes.items():
        length = 24 + round(font.getlength(name)) + 18
        if left + length > width and left > _PAD:
            left, top = _PAD, top + 22
        places.append((left, top, name, color))
        left += length
    block = Image.new('RGB', (width, top + 36), _PAPER)
    draw = ImageDraw.Draw(block)
    for left, top, name, color in places:
        draw.rectangle((left, top + 2, left + 16, top + 16), tuple(map(int, color)))
        draw.text((left + 24, top + 9), name, _INK, font, anchor='lm')
    return block


def _fit(text: str, width: int, size: int) -> str:
    font = _font(size, text)
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + '...') > width:
        text = text[:-1]
    return text + '...'

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Text files that people write, with whatever editor."""

import codecs
import os.path as osp

_MARKS = {
    codecs.BOM_UTF32_LE: 'UTF-32', codecs.BOM_UTF32_BE: 'UTF-32',
    codecs.BOM_UTF16_LE: 'UTF-16', codecs.BOM_UTF16_BE: 'UTF-16'}


def read_text(path: str, kind: str = 'file') -> str:
    """Read a text file as UTF-8, with or without a byte order mark.

    Args:
        path (str): The file.
        kind (str): What errors call it. Defaults to 'file'.

    Returns:
        str: Its text, with ``\\n`` at the end of lines.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: Naming the file and, where it can, the line, if it is of
            another encoding or binary.
    """
    if not osp.isfile(path):
        raise FileNotFoundError(f'{kind} {path} does not exist')
    with open(path, 'rb') as file:
        data = file.read()
    for mark, name in _MARKS.items():
        if data.startswith(mark):
            raise ValueError(f'{kind} {path} is {name}: save it as UTF-8')
    try:
        text = data.decode('utf-8-sig')
    except UnicodeDecodeError as error:
        line = data.count(b'\n', 0, error.start) + 1
        raise ValueError(
            f'{kind} {path}, line {line}: byte 0x{data[error.start]:02x} is no '
            'UTF-8 (perhaps the file is Latin-1): save it as UTF-8') from error
    if '\0' in text:
        line = text.count('\n', 0, text.index('\0')) + 1
        raise ValueError(f'{kind} {path}, line {line}: a NUL byte, so this is no '
                         'text file')
    return text.replace('\r\n', '\n').replace('\r', '\n')


def read_lines(path: str, kind: str = 'list') -> list[str]:
    """Read the lines of a text file.

    Args:
        path (str): The file. Blank lines, spaces at the ends of lines, and
            lines that begin with ``#`` are left out.
        kind (str): What errors call it. Defaults to 'list'.

    Returns:
        list[str]: The lines, at least one.

    Raises:
        ValueError: Naming the file, if it is empty; see :func:`read_text`.
    """
    stripped = (line.strip() for line in read_text(path, kind).split('\n'))
    lines = [line for line in stripped if line and not line.startswith('#')]
    if not lines:
        raise ValueError(f'{kind} {path} is empty')
    return lines

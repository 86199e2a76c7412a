# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""The words by which CLIP is asked for classes and for background."""

import os.path as osp
import re
from collections.abc import Iterable, Sequence

from mmwsss.utils.text import read_lines

TEMPLATES = ('a clean origami {}.', )
"""What CLIP-ES puts its words into."""

BACKGROUND = (
    'ground', 'land', 'grass', 'tree', 'building', 'wall', 'sky', 'lake', 'water',
    'river', 'sea', 'railway', 'railroad', 'keyboard', 'helmet', 'cloud', 'house',
    'mountain', 'ocean', 'road', 'rock', 'street', 'valley', 'bridge', 'sign')
"""Words for background, of CLIP-ES on VOC."""

BACKGROUND_COCO = tuple(
    word for word in BACKGROUND if word not in ('keyboard', 'sign'))
"""And on COCO, where a keyboard is a class."""

SYNONYMS_VOC = {
    'bird': 'bird avian',
    'chair': 'chair seat',
    'person': 'person with clothes,people,human',
    'tvmonitor': 'tvmonitor screen',
}
"""Classes of VOC that CLIP-ES asks for by other words; other names are words."""

SYNONYMS_COCO = {
    'bird': 'bird avian',
    'chair': 'chair seat',
    'person': 'person with clothes,people,human',
    'backpack': 'backpack,bag',
    'umbrella': 'umbrella,parasol',
    'handbag': 'handbag,purse',
    'motorcycle': 'motorbike',
    'airplane': 'aeroplane',
    'tie': 'necktie',
    'snowboard': 'sknowboard',
    'baseball glove': 'glove',
    'spoon': 'dessertspoon',
    'couch': 'sofa',
    'potted plant': 'pottedplant',
    'dining table': 'diningtable',
    'tv': 'tvmonitor screen',
    'remote': 'remote control',
    'hair drier': 'hairdrier,blowdrier',
}
"""The same of COCO, by its own names; one word is misspelt as published."""

WORD_LISTS = dict(voc=(SYNONYMS_VOC, BACKGROUND), coco=(SYNONYMS_COCO, BACKGROUND_COCO))


def read_prompts(path: str, classes: Sequence[str]) -> list[str]:
    """Read the words for one's own classes, a class a line.

    Args:
        path (str): A text file, see :func:`mmwsss.utils.text.read_lines`. Line i has
            the words for class i, separated by commas; background may come first.
        classes (Sequence[str]): The classes, without background.

    Returns:
        list[str]: The words of each class.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: Naming the file and the class, if there are no words for one, or
            more or fewer lines than there are classes.
    """
    lines = read_lines(path, 'list of words')
    if lines[0].casefold() == 'background':
        lines.pop(0)
    if len(lines) != len(classes):
        raise ValueError(
            f'{path} has words for {len(lines)} classes, a class a line, but there are '
            f'{len(classes)} ({", ".join(classes[:3])}, ...)')
    for line, name in zip(lines, classes, strict=True):
        if not split_words(line):
            raise ValueError(f'{path}: no word for class {name!r} in {line!r}')
    return lines


def class_prompts(words: str, classes: Sequence[str], folder: str = '') -> list[str]:
    """The words of each class.

    Args:
        words (str): ``'voc'`` or ``'coco'`` for the published words, ``'classes'``
            for the names themselves, or a file, see :func:`read_prompts`.
        classes (Sequence[str]): The classes, without background.
        folder (str): What a file's name is relative to. Defaults to ''.
    """
    if words in WORD_LISTS:
        synonyms, _ = WORD_LISTS[words]
        return [synonyms.get(name, name) for name in classes]
    if words in ('', 'classes'):
        return list(classes)
    return read_prompts(osp.join(folder, words), classes)


def background_prompts(words: str | Iterable[str],
                       prompts: Iterable[str]) -> list[str]:
    """The words for background that are no class.

    Args:
        words (str | Iterable[str]): ``'voc'`` or ``'coco'`` for the published ones,
            or a list of one's own.
        prompts (Iterable[str]): The words of each class.

    Raises:
        ValueError: If ``words`` is another name.
    """
    if isinstance(words, str):
        if words not in WORD_LISTS:
            raise ValueError(f'background words must be one of {list(WORD_LISTS)} or '
                             f'a list, got {words!r}')
        words = WORD_LISTS[words][1]
    taken = {
        word.casefold() for prompt in prompts for word in split_words(prompt)}
    return [word for word in words if word.strip().casefold() not in taken]


def split_words(prompt: str) -> list[str]:
    """The words of a prompt, which commas separate."""
    return [word.strip() for word in re.split('[,，、;]', prompt) if word.strip()]

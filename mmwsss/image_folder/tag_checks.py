# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""What tags cannot teach, found before anything is trained."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import combinations

from .layout import ImageFolder

NEARLY_ALL = 0.95
"""From this share of images on, tags cannot tell a class from its surroundings."""
MANY = 0.8
TOO_FEW = 3
FEW = 20
TOGETHER = 0.9
"""Of the images of either class, the share of those of both."""

_RARE = 0.1
_ALIKE = 0.75


@dataclass(frozen=True)
class Finding:
    """Something that a check found.

    Args:
        check (str): The check, in a word or two.
        text (str): What it is and what to do.
        stops (bool): Whether a run should not begin, or go on, with it.
    """

    check: str
    text: str
    stops: bool = True

    def __str__(self) -> str:
        return f'{"PROBLEM" if self.stops else "note"} ({self.check}): {self.text}'

    def as_entry(self) -> dict:
        """What was found as a report takes it."""
        return dict(title=f'photos and tags: {self.check}',
                    status='failed' if self.stops else 'warning', text=self.text)


def check_tags(folder: ImageFolder,
               lists: Mapping[str, Sequence[str]] | None = None,
               known_classes: bool = False) -> list[Finding]:
    """Look for what a classifier cannot learn from these tags.

    Args:
        folder (ImageFolder): The images with their tags.
        lists (Mapping, optional): Ids of each split, see :func:`split_images`.
            Images of more than one are found. Defaults to those of the folder.
        known_classes (bool): Whether a model that knows the classes already, such as
            CLIP, places them, so that it matters little how many images show one.
            Defaults to False.

    Returns:
        list[Finding]: What stops first.
    """
    found = [*_spelling(folder), *_frequencies(folder, known_classes),
             *([] if known_classes else _pairs(folder)),
             *_untagged(folder), *_shared(lists or folder.lists)]
    return sorted(found, key=lambda one: not one.stops)


def _spelling(folder: ImageFolder) -> list[Finding]:
    """Tags that are none of the classes, or look like another, once a tag."""
    images: dict[str, list[str]] = {}
    for key, names in folder.tags.items():
        for name in names:
            images.setdefault(name, []).append(key)
    found = []
    for name, keys in images.items():
        where = f'the tag {name!r} ({_images(len(keys))}, first {keys[0]!r})'
        others = [one for one in folder.classes if one != name]
        if name not in folder.classes:
            likely = likely_name(name, others)
            found.append(Finding(
                'spelling', f'{where} is none of the classes'
                f'{f"; perhaps {likely!r} is meant" if likely else ""}: correct it, '
                'or add it to classes.txt'))
            continue
        often = [one for one in others
                 if len(keys) <= max(2, _RARE * len(images.get(one, ())))
                 and len(images.get(one, ())) > len(keys)]
        likely = likely_name(name, often)
        if likely:
            found.append(Finding(
                'spelling', f'{where} looks like {likely!r} '
                f'({_images(len(images[likely]))}) misspelt: correct it, or go on if '
                'it is a class of its own'))
    return found


def likely_name(name: str, others: Sequence[str]) -> str:
    """The name that a misspelt one most likely stands for; '' if none is close.

    Args:
        name (str): The misspelt name.
        others (Sequence[str]): The names that there are.
    """
    folded = {_folded(one): one for one in others}
    key = _folded(name)
    # In short words, two letters that changed places are most of the word.
    swapped = [one for one in folded if sorted(one) == sorted(key)]
    close = swapped or get_close_matches(key, folded, 1, _ALIKE)
    return folded[close[0]] if close else ''


def _folded(name: str) -> str:
    return name.strip().casefold().replace('_', ' ').replace('-', ' ')


def _frequencies(folder: ImageFolder, known_classes: bool) -> list[Finding]:
    tagged = [names for names in folder.tags.values() if names]
    counts = Counter(name for names in tagged for name in set(names))
    found, few = [], []
    for name in folder.classes:
        count, share = counts[name], counts[name] / max(len(tagged), 1)
        if count == 0:
            found.append(Finding(
                'too few', f'no photo is tagged {name!r}: take it out of the classes'))
        elif known_classes:
            if count < TOO_FEW:
                found.append(Finding(
                    'too few', f'{name!r} is in {_images(count)} only: CLIP may find '
                    'it there, but a segmentation model learns little from so few',
                    stops=False))
        elif share >= MANY:
            text = (f'{name!r} is in {count} of {len(tagged)} photos ({share:.0%}): '
                    'what is in nearly every photo cannot be told from its '
                    'surroundings by tags. Drop the class, add photos without it, or '
                    'let CLIP find it (mmwsss run --method clip)')
            found.append(Finding('nearly all', text, stops=share >= NEARLY_ALL))
        elif count < TOO_FEW:
            found.append(Finding(
                'too few', f'{name!r} is in {_images(count)} only: add more, {FEW} at '
                'least, drop the class, or let CLIP find it (mmwsss run --method '
                'clip)'))
        elif count < FEW:
            few.append(f'{name!r} ({count})')
    if few:
        found.append(Finding(
            'few photos', f'these classes are in few photos: {", ".join(few)}. Masks '
            f'get better with {FEW} photos of each and more, or let CLIP find them '
            '(mmwsss run --method clip)', stops=False))
    return found


def _pairs(folder: ImageFolder) -> list[Finding]:
    counts: Counter[str] = Counter()
    both: Counter[tuple[str, str]] = Counter()
    for names in folder.tags.values():
        shown = sorted({name for name in names if name in folder.classes})
        counts.update(shown)
        both.update(combinations(shown, 2))
    found = []
    for (first, second), count in both.items():
        either = counts[first] + counts[second] - count
        rare, common = sorted((first, second), key=lambda name: counts[name])
        if count < TOO_FEW:
            continue
        if count >= TOGETHER * either:
            found.append(Finding(
                'together', f'{first!r} and {second!r} come together in {count} of '
                f'the {either} photos that show either: tags cannot say which is '
                'which. Make them one class, or add photos of one without the other'))
        elif count == counts[rare]:
            found.append(Finding(
                'together', f'every photo of {rare!r} ({count}) shows {common!r}, '
                f'too: parts of {common!r} may pass for {rare!r}. Photos of '
                f'{rare!r} alone would help', stops=False))
    return found


def _untagged(folder: ImageFolder) -> list[Finding]:
    found = []
    without = [key for key in folder.images if not folder.tags.get(key)]
    if without:
        found.append(Finding(
            'tags', f'{_images(len(without))} without tags, first {without[0]!r}: '
            'left out of training', stops=False))
    if folder.lost:
        found.append(Finding(
            'tags', f'{folder.tag_source} names {_images(len(folder.lost))} that are '
            f'not there, first {folder.lost[0]!r}', stops=False))
    return found


def _shared(lists: Mapping[str, Sequence[str]]) -> list[Finding]:
    found = []
    for first, second in combinations(lists, 2):
        same = sorted({*lists[first]} & {*lists[second]})
        if same:
            found.append(Finding(
                'split', f'{_images(len(same))} are in the lists of {first} and '
                f'{second}, first {same[0]!r}: what is measured there was trained '
                'on. Take them out of one list'))
    return found


def _images(count: int) -> str:
    return f'{count} photo{"s" * (count != 1)}'

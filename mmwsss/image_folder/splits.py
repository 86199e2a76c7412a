# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Which images train, which choose, and which score."""

import random
from collections import Counter
from collections.abc import Iterable, Mapping

from .layout import ImageFolder

HELD_OUT = 0.3
"""Of images that all have masks, the share that is kept from training."""

MIN_MASKS = 8
"""Fewer masks than this choose, and none are left to score."""

TAGS_HELD_OUT = 0.1
"""Of images without any mask, the share on which a classifier shows what it knows."""

MIN_TAGGED, MAX_TAGGED = 20, 200
"""Fewer images than this tell little, and are trained on; more tell nothing more."""


def split_images(folder: ImageFolder, seed: int = 0,
                 hold_tags: bool = True) -> dict[str, list[str]]:
    """Split images into those that train, that choose and that score.

    The lists of the owner count first. Else images with masks are held out, at
    most ``HELD_OUT`` of all images: half of them choose threshold, stage and
    refiner (val), the other half scores the final model (test). Both halves get
    images of each class where there are two. Images that train have tags.

    Without any mask val is a tenth of the images, where that is enough to tell by
    their tags whether a classifier knows more than its own photos.

    Args:
        folder (ImageFolder): The images.
        seed (int): Of the draw. Defaults to 0.
        hold_tags (bool): Whether images may be kept from training for their tags
            alone. Defaults to True.

    Returns:
        dict[str, list[str]]: Ids by ``'train'``, ``'val'`` and ``'test'``, sorted;
        ``'val'`` and ``'test'`` may be empty.

    Raises:
        ValueError: If no image is left to train on.
    """
    tagged = [key for key in folder.images if folder.tags.get(key)]
    masked = [key for key in tagged if key in folder.masks]
    measured = masked if folder.masks or not hold_tags else tagged
    if folder.lists:
        val = [key for key in folder.lists.get('val', []) if key in measured]
        test = [key for key in folder.lists.get('test', []) if key in folder.masks]
        train = folder.lists.get('train', tagged)
        if val and not test and folder.masks:
            # The owner's val is the only measure: half of it chooses.
            val, test = _halves(val, folder.tags, seed)
        elif test and not val:
            # No mask of test may choose: others do, or half of it.
            rest = {*masked} - {*test} - {*folder.lists.get('train', ())}
            if rest:
                val, _ = _draw(rest, folder.tags,
                               max(1, round(HELD_OUT / 2 * len(tagged))), seed)
            else:
                val, test = _halves(test, folder.tags, seed)
    else:
        held = masked
        most = round(HELD_OUT * len(tagged))
        if len(held) > most:
            held, _ = _draw(held, folder.tags, most, seed)
        val, test = (held, []) if len(held) < MIN_MASKS else _halves(
            held, folder.tags, seed)
        train = tagged
        count = min(round(TAGS_HELD_OUT * len(tagged)), MAX_TAGGED)
        if measured is tagged and count >= MIN_TAGGED:
            val, _ = _draw(tagged, folder.tags, count, seed)
    out = {*val, *test}
    train = [key for key in train if key not in out and folder.tags.get(key)]
    if not train:
        raise ValueError(f'{folder.root}: no photo with tags is left to train on')
    return dict(train=sorted(train), val=sorted(val), test=sorted(test))


def _halves(ids: list[str], tags: Mapping[str, list[str]],
            seed: int) -> tuple[list[str], list[str]]:
    return _draw(ids, tags, (len(ids) + 1) // 2, seed)


def _draw(ids: Iterable[str], tags: Mapping[str, list[str]], count: int,
          seed: int) -> tuple[list[str], list[str]]:
    """Draw images so that classes keep their shares; return drawn and others.

    Each time the class that is furthest behind its share gets an image.
    """
    order = sorted(ids)
    random.Random(seed).shuffle(order)  # noqa: S311
    total = Counter(name for key in order for name in tags.get(key, ()))
    drawn: list[str] = []
    has: Counter[str] = Counter()
    while len(drawn) < count and order:
        behind = min(total, key=lambda name: (has[name] / total[name], total[name]),
                     default=None)
        key = next((one for one in order if behind in tags.get(one, ())), order[0])
        order.remove(key)
        drawn.append(key)
        names = tags.get(key, ())
        has.update(names)
        if behind is not None and not any(behind in tags.get(one, ())
                                          for one in order):
            # All of its images are drawn.
            del total[behind]
    return drawn, order

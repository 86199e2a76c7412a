# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Every image of a set, small enough to be in a report, for its script to draw.

Of each image there is a small JPEG, and one PNG of small label maps below each
other: of a mask its classes; of a seed the strongest class of each pixel, and how
many thresholds its score exceeds. So the page draws a seed's mask at any threshold
without a server. Its numbers are not those of the small maps: they were counted at
the images' size, at every threshold.
"""

import base64
import io
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image

from mmwsss.datasets.image_io import read_image
from mmwsss.ops import integrate_histogram, mask_confusion, seed_histogram
from mmwsss.structures import Seed
from mmwsss.utils.spread import spread_evenly

from .distinct_colors import clear_palette
from .report_rows import (
    complete_images,
    has_truth,
    read_prediction,
    read_truth,
    tagged_classes,
    threshold_of,
)

THRESHOLDS = [round(0.02 * i, 2) for i in range(1, 50)]
SIDES = (160, 128, 96, 64)
"""Long sides of small pictures; the largest that fits is taken."""
MAX_BYTES = 40_000_000
"""Of all images of one set: their pictures are made so small, and then the images so
few, that they fit. Browsers open a page of twice that in a second or two."""
MAX_IMAGES = 20_000
_SAMPLE = 12


def collect_every_image(
        dataset: Any,
        title: str,
        columns: Sequence[dict],
        max_images: int = MAX_IMAGES,
        tell: Callable[[int, int], None] | None = None) -> dict[str, Any]:
    """What a report's script needs to show every image of a set.

    Args:
        dataset (BaseSegDataset): The images, with masks where there are any.
        title (str): What they are.
        columns (Sequence[dict]): As in
            :func:`~mmwsss.visualization.report_rows.collect_section`.
        max_images (int): No more than this many; those with masks first, evenly
            spread over the list. Defaults to 20,000.
        tell (Callable, optional): Called with the number of images that are done
            and of all.

    Returns:
        dict: JSON without further types: see ``report.js``.

    Raises:
        FileNotFoundError: If no image has a file in every column.
    """
    complete = complete_images(dataset, title, columns)
    sample = spread_evenly(complete, _SAMPLE)
    side, count = choose_side(
        lambda side: sum(_weight(info, columns, side) for info in sample) / len(sample),
        min(len(complete), max_images), MAX_BYTES)
    shown = _with_masks_first(complete, count)
    classes = list(dataset.metainfo['classes'])
    thresholds = [threshold_of(column) for column in columns]
    # Confusions over the set, (T, C, C); T is 1 without a threshold.
    totals = [np.zeros((1 if bg_thr is None else len(THRESHOLDS), *[len(classes)] * 2),
                       np.int64) for bg_thr in thresholds]
    images = []
    for number, info in enumerate(shown, 1):
        images.append(_image(info, columns, totals, classes, side))
        if tell is not None:
            tell(number, len(shown))
    return dict(
        title=title,
        total=len(complete),
        classes=classes,
        colors=[list(color) for color in clear_palette(dataset.metainfo['palette'])],
        thresholds=THRESHOLDS,
        scored=any(image['scored'] for image in images),
        columns=[dict(
            title=column['title'],
            seed=bg_thr is not None,
            own=None if bg_thr is None else _nearest(bg_thr),
            iou=[class_ious(confusion) for confusion in total])
            for column, bg_thr, total in zip(columns, thresholds, totals, strict=True)],
        images=images)


def choose_side(weight: Callable[[int], float], count: int,
                max_bytes: int) -> tuple[int, int]:
    """The largest side whose pictures fit, and how many images then do.

    Args:
        weight (Callable): Bytes of an image at a side.
        count (int): How many images there are.
        max_bytes (int): What all may take.
    """
    for side in SIDES:
        each = weight(side)
        if each * count <= max_bytes:
            return side, count
    return SIDES[-1], max(1, int(max_bytes / each))


def class_ious(confusion: np.ndarray) -> list[float | None]:
    """IoU of each class in per cent; None where it neither is nor was predicted."""
    both = confusion.diagonal().astype(float)
    either = confusion.sum(0) + confusion.sum(1) - both
    return [round(100 * b / e, 2) if e else None
            for b, e in zip(both.tolist(), either.tolist(), strict=True)]


def _image(info: dict, columns: Sequence[dict], totals: Sequence[np.ndarray],
           classes: Sequence[str], side: int) -> dict[str, Any]:
    """One image; its pixels are added to the totals of the columns."""
    truth = read_truth(info)
    predictions = [_read(column, info) for column in columns]
    masks = [mask for mask, _ in predictions]
    present = set(np.unique(masks[-1]).tolist())
    ious: list[list[float | None]] = [[] for _ in columns]
    of_last: list[list[float]] = []
    if truth is not None:
        present |= set(np.unique(truth).tolist())
        confusions = [_confusion(mask, seed, truth, len(classes))
                      for mask, seed in predictions]
        for total, confusion in zip(totals, confusions, strict=True):
            total += confusion
        ious = [[_mean(class_ious(one)) for one in confusion]
                for confusion in confusions]
        bg_thr = threshold_of(columns[-1])
        last = confusions[-1][0 if bg_thr is None else _nearest(bg_thr)]
        of_last = [[i, value] for i, value in enumerate(class_ious(last))
                   if value is not None]
    jpeg, png, size = _pictures(info, predictions, truth, side)
    return dict(
        id=info['img_id'], tags=tagged_classes(info),
        shown=sorted(present - {0, 255}), size=size, jpeg=jpeg, maps=png,
        iou=ious, classes=of_last, scored=truth is not None,
        disagreement=None if len(masks) < 2 else _disagreement(
            masks[-2], masks[-1], len(classes)))


def _read(column: dict, info: dict) -> tuple[np.ndarray, Seed | None]:
    """The class ids of an image, and its seed where that has a threshold."""
    mask, seed = read_prediction(column, info)
    return mask, None if threshold_of(column) is None else seed


def _confusion(mask: np.ndarray, seed: Seed | None, truth: np.ndarray,
               num_classes: int) -> np.ndarray:
    """That of a mask, or those of a seed at all thresholds."""
    target = torch.from_numpy(truth)
    if seed is None:
        return mask_confusion(
            torch.from_numpy(mask), target, num_classes)[None].numpy()
    return integrate_histogram(seed_histogram(
        seed.upsample(), seed.labels, target, THRESHOLDS, num_classes)).numpy()


def _pictures(info: dict, predictions: Sequence[tuple[np.ndarray, Seed | None]],
              truth: np.ndarray | None, side: int) -> tuple[str, str, list[int]]:
    """The image, the label maps below each other, and the size of one."""
    image = Image.fromarray(read_image(info['img_path']))
    small = image.copy()
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    width, height = small.size
    planes: list[np.ndarray] = []
    for mask, seed in predictions:
        if seed is None:
            planes.append(_shrink(mask, (height, width)))
        else:
            planes += _seed_planes(seed, (height, width))
    if truth is not None:
        planes.append(_shrink(truth, (height, width)))
    jpeg, maps = io.BytesIO(), io.BytesIO()
    small.save(jpeg, 'JPEG', quality=72)
    Image.fromarray(np.concatenate(planes)).save(maps, 'PNG', optimize=True)
    return (base64.b64encode(jpeg.getvalue()).decode(),
            base64.b64encode(maps.getvalue()).decode(), [width, height])


def _seed_planes(seed: Seed, size: tuple[int, int]) -> list[np.ndarray]:
    """The strongest class, and how many thresholds its score exceeds."""
    scores = seed.upsample()
    if not len(scores):
        return [np.zeros(size, np.uint8)] * 2
    best, place = scores.max(0)
    labels = seed.labels[place].to(torch.uint8).numpy()
    thresholds = np.array(THRESHOLDS, dtype=np.float32)
    level = np.searchsorted(thresholds, best.numpy(), side='left').astype(np.uint8)
    return [_shrink(labels, size), _shrink(level, size)]


def _shrink(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    small = Image.fromarray(np.ascontiguousarray(mask)).resize(
        size[::-1], Image.Resampling.NEAREST)
    return np.asarray(small)


def _disagreement(left: np.ndarray, right: np.ndarray, num_classes: int) -> float:
    """100 minus the mean IoU of two masks, whatever 255 is in either."""
    confusion = mask_confusion(
        torch.from_numpy(left), torch.from_numpy(np.where(right == 255, 0, right)),
        num_classes).numpy()
    mean = _mean(class_ious(confusion))
    return 0. if mean is None else round(100 - mean, 1)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(sum(known) / len(known), 1) if known else None


def _weight(info: dict, columns: Sequence[dict], side: int) -> int:
    predictions = [_read(column, info) for column in columns]
    jpeg, png, _ = _pictures(info, predictions, read_truth(info), side)
    # Numbers and names.
    return len(jpeg) + len(png) + 400 + 300 * len(columns)


def _nearest(bg_thr: float) -> int:
    return int(np.abs(np.array(THRESHOLDS) - bg_thr).argmin())


def _with_masks_first(infos: Sequence[dict], count: int) -> list[dict]:
    """Images to show, in the order of the list; few may have masks to count."""
    if count >= len(infos):
        return list(infos)
    scored = spread_evenly([info for info in infos if has_truth(info)], count)
    others = spread_evenly([info for info in infos if not has_truth(info)],
                           count - len(scored))
    chosen = {info['img_id'] for info in (*scored, *others)}
    return [info for info in infos if info['img_id'] in chosen]

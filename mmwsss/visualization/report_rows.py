# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""The pictures of a report: a row an image, a column a stage."""

import os.path as osp
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch

from mmwsss.datasets.image_ids import image_infos
from mmwsss.datasets.image_io import read_image, read_mask
from mmwsss.evaluation.metrics.prediction_files import prediction_file
from mmwsss.ops import mask_confusion
from mmwsss.structures import Seed
from mmwsss.utils.spread import spread_evenly

from .cam_overlay import draw_mask, draw_seed
from .distinct_colors import clear_palette

# To rank the images of a large set, this many of them are looked at.
_MAX_CANDIDATES = 400


@dataclass
class Cell:
    """One picture of a row.

    Args:
        picture (np.ndarray): RGB, uint8 ``(H, W, 3)``.
        iou (float, optional): In per cent; None where there is nothing to
            measure. Defaults to None.
    """

    picture: np.ndarray
    iou: float | None = None


@dataclass
class Row:
    """One image through all stages.

    Args:
        name (str): The image's id.
        tags (list[str]): The classes it is tagged with.
        cells (list[Cell]): One for each column.
    """

    name: str
    tags: list[str]
    cells: list[Cell]

    @property
    def best_iou(self) -> float | None:
        """float | None: The highest of the row, None if nothing is measured."""
        return max((cell.iou for cell in self.cells if cell.iou is not None),
                   default=None)


@dataclass
class Section:
    """Images of one set.

    Args:
        title (str): What they are.
        columns (list[str]): The title of each column.
        rows (list[Row]): From the best to the worst.
        classes (dict[str, tuple]): RGB colour of each class that occurs.
        images (int): How many images ``rows`` was chosen from.
        ranked_by (str): The column whose IoU orders the rows.
        has_seeds (bool): Whether a column shows seeds. Defaults to False.
    """

    title: str
    columns: list[str]
    rows: list[Row]
    classes: dict[str, tuple[int, int, int]]
    images: int
    ranked_by: str
    has_seeds: bool = False

    @property
    def is_scored(self) -> bool:
        """bool: Whether there is any ground truth."""
        return any(row.best_iou is not None for row in self.rows)


def image_iou(mask: np.ndarray, truth: np.ndarray, num_classes: int) -> float:
    """Mean IoU of one image, in per cent.

    Over the classes that the prediction or the ground truth shows, background
    included. 255 is left out in the ground truth and is background in the
    prediction.

    Args:
        mask (np.ndarray): Predicted class ids ``(H, W)``, uint8.
        truth (np.ndarray): Class ids ``(H, W)``, uint8.
        num_classes (int): Number of classes, background included.
    """
    confusion = mask_confusion(
        torch.from_numpy(mask), torch.from_numpy(truth), num_classes).double()
    both = confusion.diagonal()
    either = confusion.sum(0) + confusion.sum(1) - both
    shown = either > 0
    return float(100 * (both[shown] / either[shown]).mean()) if shown.any() else 100.0


def collect_section(dataset: Any,
                    title: str,
                    columns: Sequence[dict],
                    num_images: int = 6,
                    rank_by: str | None = None) -> Section:
    """Choose images and draw them.

    The images are spread evenly over the range from the best to the worst.
    Which they are depends on nothing but the files.

    Args:
        dataset (BaseSegDataset): The images, with masks where there are any.
        title (str): Title of the section.
        columns (Sequence[dict]): What stands beside each image: dicts of
            ``title`` and either ``seeds`` (folder of npz) and ``bg_thr``, or
            ``masks`` (folder of PNGs). Image and ground truth come of
            themselves.
        num_images (int): How many images. Defaults to 6.
        rank_by (str, optional): Title of the column whose IoU orders the rows.
            Defaults to None, the last.

    Raises:
        FileNotFoundError: If no image has a file in every column.
        ValueError: If ``rank_by`` is no column.
    """
    titles = [column['title'] for column in columns]
    rank_by = rank_by or titles[-1]
    if rank_by not in titles:
        raise ValueError(f'rank_by {rank_by!r} is none of the columns {titles}')
    complete = complete_images(dataset, title, columns)
    scored = [info for info in complete if has_truth(info)] or complete
    chosen = _spread(scored, num_images, columns[titles.index(rank_by)],
                     len(dataset.metainfo['classes']))
    return _draw_section(dataset, title, columns, chosen, len(complete), rank_by)


def collect_images(dataset: Any, title: str, columns: Sequence[dict],
                   ids: Sequence[str]) -> Section:
    """Draw given images.

    Args:
        dataset (BaseSegDataset): See :func:`collect_section`.
        title (str): Title of the section.
        columns (Sequence[dict]): As there.
        ids (Sequence[str]): Ids of images, in their order.
    """
    infos = {info['img_id']: info for info in image_infos(dataset)}
    chosen = [infos[name] for name in ids]
    return _draw_section(dataset, title, columns, chosen, len(chosen), '')


def _draw_section(dataset: Any, title: str, columns: Sequence[dict],
                  chosen: list[dict], images: int, ranked_by: str) -> Section:
    rows, shown = [], set()
    palette = clear_palette(dataset.metainfo['palette'])
    for info in chosen:
        row, ids = _draw_row(
            info, columns, dict(dataset.metainfo, palette=palette))
        rows.append(row)
        shown |= ids
    names = ['Photo', *(column['title'] for column in columns)]
    names += ['Ground truth'] * has_truth(chosen[0])
    classes = {
        dataset.metainfo['classes'][i]: palette[i]
        for i in sorted(shown - {0, 255})
    }
    return Section(title, names, rows, classes, images, ranked_by,
                   any('seeds' in column for column in columns))


def _spread(infos: list[dict], count: int, column: dict,
            num_classes: int) -> list[dict]:
    """``count`` images, evenly spread from the best to the worst."""
    step = max(1, len(infos) // _MAX_CANDIDATES)
    candidates = infos[::step]
    order: Sequence[int]
    if not has_truth(candidates[0]):
        order = range(len(candidates))
    else:
        quality = [
            image_iou(read_prediction(column, info)[0],
                      read_mask(info['seg_map_path']), num_classes)
            for info in candidates
        ]
        order = sorted(range(len(candidates)), key=lambda i: (-quality[i], i))
    return [candidates[i] for i in spread_evenly(order, count)]


def _draw_row(info: dict, columns: Sequence[dict],
              meta: dict) -> tuple[Row, set[int]]:
    image = read_image(info['img_path'])
    classes, palette = meta['classes'], meta['palette']
    truth = read_truth(info)
    shown = set(np.unique(truth).tolist()) if truth is not None else set()
    cells = [Cell(image)]
    # Next to a grey image the colours of classes stand out.
    grey = image.mean(axis=2, keepdims=True)
    muted = (0.25 * image + 0.75 * grey).astype(np.uint8)
    for column in columns:
        mask, seed = read_prediction(column, info)
        shown |= set(np.unique(mask).tolist())
        if seed is None:
            picture = draw_mask(muted, mask, palette, alpha=0.75)
        else:
            picture = _outline(draw_seed(muted, seed, palette, alpha=0.9), mask)
        iou = None if truth is None else image_iou(mask, truth, len(classes))
        cells.append(Cell(picture, iou))
    if truth is not None:
        cells.append(Cell(draw_mask(muted, truth, palette, alpha=0.75)))
    tags = [classes[i] for i in tagged_classes(info)]
    return Row(info['img_id'], tags, cells), shown


def _outline(picture: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Draw the border of what a seed's threshold keeps."""
    kernel = np.ones((3, 3), np.uint8)
    border = cv2.dilate(mask, kernel) != cv2.erode(mask, kernel)
    picture = picture.copy()
    picture[border & (mask > 0)] = 255
    return picture


def complete_images(dataset: Any, title: str, columns: Sequence[dict]) -> list[dict]:
    """The images that have a file in every column; an error without any."""
    complete = [info for info in image_infos(dataset)
                if all(osp.exists(_file_of(column, info)) for column in columns)]
    if not complete:
        raise FileNotFoundError(
            f'section {title!r}: no image has a file in every one of '
            f'{[column.get("seeds") or column.get("masks") for column in columns]}')
    return complete


def tagged_classes(info: dict) -> list[int]:
    """The foreground classes that an image is tagged with."""
    tags = info.get('tags')
    return [] if tags is None else [i for i in np.flatnonzero(tags).tolist() if i > 0]


def read_truth(info: dict) -> np.ndarray | None:
    """The ground truth of an image, None without one."""
    return read_mask(info['seg_map_path']) if has_truth(info) else None


def has_truth(info: dict) -> bool:
    """Whether an image has a ground truth."""
    return osp.exists(info.get('seg_map_path') or '')


def read_prediction(column: dict, info: dict) -> tuple[np.ndarray, Seed | None]:
    """The class ids of an image in a column, and in a column of seeds its seed."""
    path = _file_of(column, info)
    if 'seeds' not in column:
        return read_mask(path), None
    seed = Seed.load(path)
    return seed.to_mask(threshold_of(column)).numpy(), seed


def threshold_of(column: dict) -> float | None:
    """The threshold of a column of seeds; None of masks, and of seeds with a
    background of their own."""
    if 'seeds' not in column:
        return None
    bg_thr = column.get('threshold', column.get('bg_thr'))  # the former name
    return None if bg_thr is None else float(bg_thr)


def _file_of(column: dict, info: dict) -> str:
    """The file of an image in a column, whether it is there or not."""
    seeds = 'seeds' in column
    return prediction_file(column['seeds' if seeds else 'masks'], info, seeds)

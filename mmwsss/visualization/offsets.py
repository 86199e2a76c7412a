# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Pictures of where an offset convolution samples.

Offsets have the layout of :func:`torchvision.ops.deform_conv2d`: ``(2 k k, h,
w)``, dy and dx in turn for each kernel point, in pixels of the feature grid.
"""

import os.path as osp
from collections.abc import Sequence

import cv2
import matplotlib.figure
import numpy as np
from torch import Tensor

from mmwsss.utils import atomic_write

from .cam_overlay import overlay_cam

OFFSET_PREFIX = 'offset/'


def split_offset(offset: Tensor | np.ndarray) -> np.ndarray:
    """Bring an offset field into the shape ``(k * k, 2, h, w)``, dy before dx.

    Raises:
        ValueError: If ``offset`` is not a field ``(2 k k, h, w)``.
    """
    if isinstance(offset, Tensor):
        offset = offset.detach().float().cpu().numpy()
    points = offset.shape[0] // 2
    if offset.ndim != 3 or round(points**0.5)**2 * 2 != offset.shape[0]:
        raise ValueError('offset must be (2 * k * k, h, w), got '
                         f'{tuple(offset.shape)}')
    return offset.reshape(points, 2, *offset.shape[1:])


def offset_magnitude(offset: Tensor | np.ndarray) -> np.ndarray:
    """Mean length of the offsets at each position.

    Args:
        offset (Tensor | np.ndarray): Offsets ``(2 k k, h, w)``.

    Returns:
        np.ndarray: Lengths in pixels of the feature grid, ``(h, w)``.
    """
    return np.linalg.norm(split_offset(offset), axis=1).mean(0)


def draw_offset_magnitude(image: np.ndarray,
                          offset: Tensor | np.ndarray,
                          max_magnitude: float | None = None,
                          alpha: float = 0.5) -> np.ndarray:
    """Blend the lengths of the offsets, as a heat map, over an image.

    Args:
        image (np.ndarray): RGB, uint8 ``(H, W, 3)``.
        offset (Tensor | np.ndarray): Offsets ``(2 k k, h, w)``.
        max_magnitude (float, optional): The length drawn in full red, in pixels
            of the feature grid. Defaults to the largest of this field.
        alpha (float): Weight of the heat map. Defaults to 0.5.

    Returns:
        np.ndarray: RGB, uint8 ``(H, W, 3)``.
    """
    magnitude = offset_magnitude(offset)
    top = magnitude.max() if max_magnitude is None else max_magnitude
    score = np.clip(magnitude / top, 0, 1) if top > 0 else np.zeros_like(magnitude)
    return overlay_cam(image, score, alpha)


def draw_offset_arrows(image: np.ndarray,
                       offset: Tensor | np.ndarray,
                       num_arrows: int = 16,
                       gain: float = 1.,
                       color: Sequence[int] = (255, 230, 0)) -> np.ndarray:
    """Draw where positions of the feature map look, on average, as arrows.

    An arrow leads from the centre of a cell of the feature grid to that point
    moved by the mean of the cell's offsets.

    Args:
        image (np.ndarray): RGB, uint8 ``(H, W, 3)``.
        offset (Tensor | np.ndarray): Offsets ``(2 k k, h, w)``.
        num_arrows (int): About how many arrows to draw along the longer side.
            Defaults to 16.
        gain (float): Factor on the drawn length: offsets well below a cell are
            hard to see at their true length. Defaults to 1.
        color (Sequence[int]): RGB colour of the arrows.

    Returns:
        np.ndarray: RGB, uint8 ``(H, W, 3)``.
    """
    mean_dy, mean_dx = split_offset(offset).mean(0)
    rows, cols = mean_dy.shape
    cell_h, cell_w = image.shape[0] / rows, image.shape[1] / cols
    step = max(1, round(max(rows, cols) / num_arrows))
    drawn = np.ascontiguousarray(image).copy()
    for y in range(step // 2, rows, step):
        for x in range(step // 2, cols, step):
            start_y, start_x = (y + 0.5) * cell_h, (x + 0.5) * cell_w
            end_y = start_y + gain * mean_dy[y, x] * cell_h
            end_x = start_x + gain * mean_dx[y, x] * cell_w
            cv2.arrowedLine(
                drawn, (round(start_x), round(start_y)),
                (round(float(end_x)), round(float(end_y))),
                tuple(int(value) for value in color), 1, cv2.LINE_AA,
                tipLength=0.3)
    return drawn


def plot_offset_curves(scalars: Sequence[dict], path: str) -> None:
    """Plot the offset statistics of a training run over its iterations.

    Args:
        scalars (Sequence[dict]): The logged lines of the run: mmengine's
            ``vis_data/scalars.json``, one dict a line, where
            :class:`OffsetMonitorHook` was on.
        path (str): The PNG to write, atomically.

    Raises:
        ValueError: If no line holds an offset statistic.
    """
    names = sorted({
        name
        for line in scalars for name in line if name.startswith(OFFSET_PREFIX)
    })
    if not names:
        raise ValueError('the log holds no offset statistics: train with '
                         "custom_hooks holding dict(type='OffsetMonitorHook')")
    kinds = sorted({name.rsplit('_', 1)[1] for name in names})
    titles = dict(
        mean='mean |offset| (feature pixels)',
        max='max |offset| (feature pixels)',
        outside='samples led off the map (fraction)')
    figure = matplotlib.figure.Figure(
        figsize=(5 * len(kinds), 3.5), layout='constrained')
    for axes, kind in zip(
            figure.subplots(1, len(kinds), squeeze=False)[0], kinds, strict=True):
        for name in names:
            if name.endswith(f'_{kind}'):
                points = [(line['step'], line[name]) for line in scalars
                          if name in line and 'step' in line]
                layer = name[len(OFFSET_PREFIX):-len(kind) - 1]
                axes.plot(*zip(*points, strict=True), label=layer)
        axes.set(xlabel='iteration', title=titles.get(kind, kind))
        axes.set_ylim(bottom=0)
        axes.legend()
    suffix = osp.splitext(path)[1].lstrip('.') or 'png'
    with atomic_write(path) as file:
        figure.savefig(file, format=suffix, dpi=120)

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Class scores and masks drawn over images.

All functions take and return RGB ``uint8`` arrays ``(H, W, 3)`` and draw on a
copy.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mmwsss.datasets.image_io import check_rgb
from mmwsss.structures import Seed

IGNORE_COLOR = (224, 224, 192)


def _resize_score(score: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Bring a ``(h, w)`` score map to ``size = (H, W)``, float32 in [0, 1]."""
    score = np.asarray(score, dtype=np.float32)
    if score.ndim != 2:
        raise ValueError(f'score must be (h, w), got {score.shape}')
    if score.size and not (0 <= score.min() and score.max() <= 1):
        raise ValueError('score must be in [0, 1], got '
                         f'[{score.min():.3g}, {score.max():.3g}]')
    if score.shape != size:
        score = cv2.resize(score, size[::-1], interpolation=cv2.INTER_LINEAR)
    return score


def _blend(image: np.ndarray, color: np.ndarray, weight) -> np.ndarray:
    mixed = image * (1 - weight) + color * weight
    return np.clip(np.rint(mixed), 0, 255).astype(np.uint8)


def overlay_cam(image: np.ndarray,
                score: np.ndarray,
                alpha: float = 0.5) -> np.ndarray:
    """Blend one class map, as a heat map, over an image.

    Args:
        image (np.ndarray): RGB, uint8 ``(H, W, 3)``.
        score (np.ndarray): Scores in [0, 1], ``(h, w)``; resized bilinearly
            where it is not at the image's size.
        alpha (float): Weight of the heat map, 0 to 1. Defaults to 0.5.

    Returns:
        np.ndarray: RGB, uint8 ``(H, W, 3)``: blue is 0, red is 1.

    Raises:
        ValueError: If an array has a wrong shape, type or range.
    """
    image = check_rgb(image)
    score = _resize_score(score, image.shape[:2])
    heat = cv2.applyColorMap(
        np.rint(score * 255).astype(np.uint8), cv2.COLORMAP_JET)
    return _blend(image, heat[..., ::-1].astype(np.float32), alpha)


def draw_mask(image: np.ndarray,
              mask: np.ndarray,
              palette: Sequence[Sequence[int]],
              alpha: float = 0.5) -> np.ndarray:
    """Tint the pixels of each class in its colour; background stays as it is.

    Args:
        image (np.ndarray): RGB, uint8 ``(H, W, 3)``.
        mask (np.ndarray): Class ids ``(H, W)``; 0 is background, 255 (ignore)
            is drawn in the pale colour of VOC's borders.
        palette (Sequence[Sequence[int]]): RGB colour of each class, background
            first.
        alpha (float): Weight of the colour, 0 to 1. Defaults to 0.5.

    Returns:
        np.ndarray: RGB, uint8 ``(H, W, 3)``.

    Raises:
        ValueError: If the sizes differ, or an id is in neither the palette nor
            255.
    """
    image, mask = check_rgb(image), np.asarray(mask)
    if mask.shape != image.shape[:2]:
        raise ValueError(f'mask must have the size of the image '
                         f'{image.shape[:2]}, got {mask.shape}')
    unknown = [i for i in np.unique(mask) if not 0 <= i < len(palette) and i != 255]
    if unknown:
        raise ValueError(f'mask holds the class ids {[int(i) for i in unknown]}, but '
                         f'the palette has {len(palette)} classes')
    table = np.zeros((256, 3), dtype=np.float32)
    table[:len(palette)] = palette
    table[255] = IGNORE_COLOR
    weight = (mask != 0)[..., None] * np.float32(alpha)
    return _blend(image, table[mask.astype(np.uint8)], weight)


def draw_seed(image: np.ndarray,
              seed: Seed,
              palette: Sequence[Sequence[int]],
              class_names: Sequence[str] | None = None,
              alpha: float = 0.7) -> np.ndarray:
    """Tint an image by all class scores of a seed at once.

    Each pixel takes the colour of its highest class, the stronger the higher
    that score is.

    Args:
        image (np.ndarray): RGB, uint8 ``(H, W, 3)``.
        seed (Seed): The scores of the present classes; resized where the
            image is shown at another size.
        palette (Sequence[Sequence[int]]): RGB colour of each class, background
            first.
        class_names (Sequence[str], optional): Names of all classes, background
            first; if given, a legend of the present ones is drawn.
        alpha (float): Weight of the colour where the score is 1.

    Returns:
        np.ndarray: RGB, uint8 ``(H, W, 3)``.
    """
    image = check_rgb(image)
    labels = seed.labels.tolist()
    if not labels:
        return image.copy()
    colors = np.asarray(palette, dtype=np.float32)[labels]
    scores = np.stack([
        _resize_score(score, image.shape[:2])
        for score in seed.upsample().cpu().numpy()
    ])
    best = scores.argmax(0)
    drawn = _blend(image, colors[best], alpha * scores.max(0)[..., None])
    if class_names is not None:
        drawn = draw_tags(drawn, [class_names[label] for label in labels],
                          [palette[label] for label in labels])
    return drawn


def draw_tags(image: np.ndarray,
              names: Sequence[str],
              colors: Sequence[Sequence[int]] | None = None) -> np.ndarray:
    """Write class names in the upper left corner, one below the other.

    Args:
        image (np.ndarray): RGB, uint8 ``(H, W, 3)``.
        names (Sequence[str]): What to write.
        colors (Sequence[Sequence[int]], optional): RGB colour of the box left
            of each name. Defaults to grey boxes.

    Returns:
        np.ndarray: RGB, uint8 ``(H, W, 3)``.
    """
    image = check_rgb(image)
    canvas = Image.fromarray(np.ascontiguousarray(image))
    draw = ImageDraw.Draw(canvas)
    size = max(9, min(image.shape[:2]) // 25)
    font = ImageFont.load_default(size=size)
    colors = colors or [(128, 128, 128)] * len(names)
    pad, top = max(1, size // 5), 0
    for name, color in zip(names, colors, strict=True):
        width = draw.textlength(name, font=font)
        bottom = top + size + 2 * pad
        draw.rectangle((0, top, size + width + 3 * pad, bottom), fill=(0, 0, 0))
        draw.rectangle((pad, top + pad, size, bottom - pad),
                       fill=tuple(int(value) for value in color))
        draw.text((size + 2 * pad, top + pad // 2), name, fill=(255, 255, 255),
                  font=font)
        top = bottom
    return np.asarray(canvas)

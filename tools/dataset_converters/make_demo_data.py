# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Make the demo data: generated scenes in VOC layout, the same every time.

Bugs crawl over cluttered ground, and weak supervision shows its weakness. What tells
the kinds apart is a small head with a bold pattern; the large body has only a faint
tint of its kind, weaker than the differences from one bug to the next. A classifier
needs no more than the heads, so its class activation maps miss most of the bodies.
Stones and leaves with the bodies' colours, and flowers with the heads' colours, lie
about; bugs hide each other.

Example:
    python tools/dataset_converters/make_demo_data.py --out data/demo
"""

if __name__ == '__main__':
    from mmwsss.ctrl_c import end_at_ctrl_c
    end_at_ctrl_c()

import argparse
import os.path as osp
import re
from collections.abc import Sequence

import numpy as np
from PIL import Image

from mmwsss.utils import atomic_write, read_lines, write_lines
from mmwsss.utils.arguments import ToolParser
from mmwsss.utils.entry_point import run_tool

# Per kind: the head's two colours, its pattern, and the tint of the body.
_KINDS = {
    'ant': ((235, 70, 45), (40, 10, 10), 'stripes', (21, -10, -13)),
    'bee': ((250, 205, 30), (25, 20, 10), 'rings', (16, 10, -19)),
    'beetle': ((60, 205, 110), (10, 45, 25), 'checks', (-14, 15, -9)),
    'ladybug': ((245, 95, 175), (60, 5, 40), 'dots', (16, -15, 9)),
    'moth': ((95, 165, 250), (15, 25, 70), 'spokes', (-13, 0, 20)),
    'wasp': ((190, 130, 250), (250, 250, 235), 'halves', (4, -13, 19)),
}
CLASSES = ('background', *_KINDS)
_ID = re.compile(r'(train|val)_\d{5}')
_EARTH = ((122, 108, 84), (96, 112, 72), (128, 122, 112), (108, 92, 74),
          (88, 104, 92))


def _noise(rng: np.random.RandomState, size: int, cells: int) -> np.ndarray:
    """Smooth noise in about [-1, 1] of shape (size, size)."""
    grid = rng.uniform(-1, 1, (cells + 1, cells + 1)).astype(np.float32)
    image = Image.fromarray(grid).resize((size, size),
                                         Image.Resampling.BICUBIC)
    return np.asarray(image).astype(np.float64)


class _Canvas:
    """A picture and who owns its pixels, painted back to front.

    Lengths are given in units of 1/96 of the scene.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.unit = size / 96
        self.picture = np.zeros((size, size, 3))
        self.owner = np.zeros((size, size), dtype=np.int64)

    def area(self, centre: np.ndarray, reach: float) -> tuple[slice, slice]:
        """The pixels within ``reach`` of a point, as (rows, columns)."""
        low = np.floor(centre - reach * self.unit).astype(int)
        high = np.ceil(centre + reach * self.unit).astype(int) + 1
        low, high = low.clip(0, self.size), high.clip(0, self.size)
        return slice(low[1], high[1]), slice(low[0], high[0])

    def local(self, area: tuple[slice, slice], centre: np.ndarray,
              angle: float) -> tuple[np.ndarray, np.ndarray]:
        """Coordinates along and across a shape, over an area."""
        y, x = np.mgrid[area]
        dx, dy = (x - centre[0]) / self.unit, (y - centre[1]) / self.unit
        cos, sin = np.cos(angle), np.sin(angle)
        return dx * cos + dy * sin, dy * cos - dx * sin

    def paint(self, area: tuple[slice, slice], depth: np.ndarray,
              colour: np.ndarray) -> None:
        """Blend ``colour`` in where ``depth``, the way inside, is positive."""
        alpha = np.clip(depth * self.unit + 0.5, 0, 1)[..., None]
        self.picture[area] += alpha * (colour - self.picture[area])


def _shade(colour: Sequence[float], light: np.ndarray) -> np.ndarray:
    return np.asarray(colour, dtype=np.float64) + light[..., None]


def _paint_ground(canvas: _Canvas, rng: np.random.RandomState) -> None:
    size = canvas.size
    first, second = rng.permutation(len(_EARTH))[:2]
    mix = (_noise(rng, size, 4) * 0.5 + 0.5)[..., None]
    canvas.picture = (mix * np.array(_EARTH[first]) +
                      (1 - mix) * np.array(_EARTH[second]))
    for cells, strength in ((8, 14), (20, 14), (48, 16)):
        canvas.picture += strength * _noise(rng, size, cells)[..., None]
    for _ in range(rng.randint(14, 26)):  # blades of grass
        centre, length = rng.uniform(0, size, 2), rng.uniform(8, 22)
        area = canvas.area(centre, length + 6)
        along, across = canvas.local(area, centre, rng.uniform(0, np.pi))
        across = across + rng.uniform(-0.012, 0.012) * along**2
        depth = np.minimum(
            rng.uniform(0.5, 1.1) - np.abs(across), length - np.abs(along))
        green = rng.uniform((70, 95, 45), (150, 165, 100))
        canvas.paint(area, depth, green)


def _blob(rng: np.random.RandomState, along: np.ndarray, across: np.ndarray,
          length: float, width: float) -> np.ndarray:
    """Distance from the middle of an uneven ellipse; 1 is its rim."""
    theta = np.arctan2(across / width, along / length)
    rim = np.ones_like(theta)
    for order in (2, 3, 4):
        rim += rng.uniform(-0.07, 0.07) * np.cos(
            order * theta + rng.uniform(0, 2 * np.pi))
    return np.hypot(along / length, across / width) / rim


def _paint_clutter(canvas: _Canvas, rng: np.random.RandomState) -> None:
    """Stones and leaves in the bodies' colours, flowers in the heads'."""
    for _ in range(rng.randint(4, 8)):
        centre = rng.uniform(0, canvas.size, 2)
        area = canvas.area(centre, 18)
        along, across = canvas.local(area, centre, rng.uniform(0, np.pi))
        length, width = rng.uniform(5, 14), rng.uniform(3, 9)
        radius = _blob(rng, along, across, length, width)
        colour = 118 + rng.uniform(-34, 34, 3)
        light = 26 * (1 - radius).clip(0, 1)
        if rng.uniform() < 0.5:  # a leaf has a vein
            light -= 16 * (np.abs(across) < 0.7)
        canvas.paint(area, (1 - radius) * min(length, width),
                     _shade(colour, light))
    kinds = list(_KINDS.values())
    for _ in range(rng.randint(2, 5)):
        centre = rng.uniform(0, canvas.size, 2)
        area = canvas.area(centre, 6)
        along, across = canvas.local(area, centre, rng.uniform(0, np.pi))
        petals = np.cos(5 * np.arctan2(across, along))
        depth = rng.uniform(2.2, 3.6) * (1 + 0.35 * petals) - np.hypot(
            along, across)
        colour = kinds[rng.randint(len(kinds))][0]
        canvas.paint(area, depth, _shade(colour, 20 * petals))


def _pattern(name: str, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Where a head's pattern shows its second colour; the head is r = 1."""
    if name == 'stripes':
        return np.sin(u * 7.5) > 0
    if name == 'rings':
        return np.sin(np.hypot(u, v) * 10.5) > 0.1
    if name == 'checks':
        return np.sin(u * 5.2) * np.sin(v * 5.2) > 0
    if name == 'dots':
        return np.cos(u * 6.5) + np.cos(v * 6.5) > 0.75
    if name == 'spokes':
        return np.sin(5 * np.arctan2(v, u)) > 0
    return v > 0  # halves


def _paint_bug(canvas: _Canvas, rng: np.random.RandomState, kind: str,
               owner: int) -> tuple[int, int]:
    """Paint a bug somewhere; return the pixels of its whole and its head."""
    colour, dark, pattern, tint = _KINDS[kind]
    centre = rng.uniform(0.2 * canvas.size, 0.8 * canvas.size, 2)
    length, width = rng.uniform(18, 27), rng.uniform(12, 16)
    area = canvas.area(centre, length * 1.3 + 8)
    along, across = canvas.local(area, centre, rng.uniform(0, 2 * np.pi))
    radius = _blob(rng, along, across, length, width)
    body = (1 - radius) * min(length, width)
    coat = 112 + rng.uniform(-22, 22) + rng.uniform(-14, 14, 3) + tint
    light = 34 * np.sqrt((1 - radius**2).clip(0, 1)) - 16
    light += 7 * np.sin(along * rng.uniform(0.7, 1.0))  # segments
    light += 12 * _noise(rng, canvas.size, 56)[area]  # hairs
    shadow = np.where(body > -1.6, body * 0.25 - 0.1, -1)
    canvas.paint(area, shadow, np.full(3, 40))
    canvas.paint(area, body, _shade(coat, light))

    head_radius = rng.uniform(5.6, 6.8)
    u, v = (along - length * 0.75) / head_radius, across / head_radius
    bold = _pattern(pattern, u, v)[..., None]
    light = 40 * (1 - np.hypot(u, v)**2).clip(0, 1) - 24
    head = (1 - np.hypot(u, v)) * head_radius
    canvas.paint(area, head,
                 np.where(bold, dark, colour) + light[..., None])
    canvas.owner[area][body > 0] = owner
    canvas.owner[area][head > 0] = -owner
    return int(((body > 0) | (head > 0)).sum()), int((head > 0).sum())


def draw_scene(seed: int,
               index: int,
               size: int = 96) -> tuple[np.ndarray, np.ndarray]:
    """Draw one scene; it depends on nothing but the arguments.

    Args:
        seed (int): Seed of the data set.
        index (int): Number of the scene.
        size (int): Side of the square picture in pixels. Defaults to 96.

    Returns:
        tuple[np.ndarray, np.ndarray]: The image, uint8 RGB (size, size, 3),
        and its mask, uint8 class ids (size, size), exact and without 255.
    """
    # RandomState's stream is frozen; that of numpy's Generator may change.
    rng = np.random.RandomState([seed, index])
    names = CLASSES[1:]
    canvas = _Canvas(size)
    _paint_ground(canvas, rng)
    _paint_clutter(canvas, rng)
    ground = canvas.picture
    while True:
        canvas.picture, canvas.owner[:] = ground.copy(), 0
        tags = rng.permutation(len(names))[:rng.choice(3, p=(.4, .4, .2)) + 1]
        sizes = [
            _paint_bug(canvas, rng, names[tag], owner)
            for owner, tag in enumerate(tags, start=1)
        ]
        # Whoever carries a tag must be seen, the head above all.
        if all((np.abs(canvas.owner) == owner).sum() > max(
                0.55 * whole, 0.04 * size**2) and
               (canvas.owner == -owner).sum() > max(
                   0.85 * head, 0.008 * size**2)
               for owner, (whole, head) in enumerate(sizes, start=1)):
            break
    canvas.picture *= rng.uniform(0.85, 1.15)
    canvas.picture += rng.normal(0, 5, canvas.picture.shape)
    lookup = np.array([0, *(tags + 1)], dtype=np.uint8)
    image = canvas.picture.round().clip(0, 255).astype(np.uint8)
    return image, lookup[np.abs(canvas.owner)]


def _list_of(out: str, split: str) -> str:
    return osp.join(out, 'ImageSets', 'Segmentation', f'{split}.txt')


def parse_args() -> argparse.Namespace:
    parser = ToolParser(__doc__)
    parser.add_argument('--out', default='data/demo', help='folder to write')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument(
        '--num-train', type=int, default=300, help='scenes to train on')
    parser.add_argument(
        '--num-val', type=int, default=80, help='scenes to test on')
    parser.add_argument(
        '--size', type=int, default=96, help='side of the pictures in pixels')
    return parser.parse_args()


def main(args: argparse.Namespace) -> None:
    """Write ``JPEGImages/``, ``SegmentationClass/``, ``image_labels.json``,
    ``classes.txt`` and ``ImageSets/Segmentation/{train,val}.txt``.

    The same arguments give the same bytes. The lists come last, so that a
    folder that holds them is whole.

    Raises:
        ValueError: If a number is too small.
        FileExistsError: If there is a data set of one's own.
    """
    from mmwsss.datasets import DemoDataset
    from mmwsss.datasets.image_io import write_mask
    from mmwsss.structures import save_label_table
    out = args.out
    if args.num_train < 1 or args.num_val < 1:
        raise ValueError('expected at least one scene to train on and one to '
                         f'test on, got {args.num_train} and {args.num_val}')
    if args.size < 32:
        raise ValueError(f'expected a size of at least 32 pixels, got {args.size}')
    table, lists = {}, {'train': [], 'val': []}
    for split in lists:
        path = _list_of(out, split)
        if osp.exists(path) and not all(map(_ID.fullmatch, read_lines(path))):
            raise FileExistsError(f'{path} lists images that are no generated scenes; '
                                  'choose another folder (--out)')
    for index in range(args.num_train + args.num_val):
        image, mask = draw_scene(args.seed, index, args.size)
        split = 'train' if index < args.num_train else 'val'
        image_id = f'{split}_{len(lists[split]):05d}'
        lists[split].append(image_id)
        with atomic_write(osp.join(out, 'JPEGImages',
                                   f'{image_id}.jpg')) as file:
            Image.fromarray(image).save(file, 'JPEG', quality=95)
        write_mask(
            osp.join(out, 'SegmentationClass', f'{image_id}.png'), mask,
            DemoDataset.METAINFO['palette'])
        table[image_id] = [CLASSES[i] for i in np.unique(mask) if i]
    save_label_table(osp.join(out, 'image_labels.json'), table)
    write_lines(osp.join(out, 'classes.txt'), CLASSES)
    for split, ids in lists.items():
        write_lines(_list_of(out, split), ids)
    print(f'{args.num_train} scenes to train on and {args.num_val} to test on '
          f'in {args.out}')


if __name__ == '__main__':
    run_tool(parse_args, main)

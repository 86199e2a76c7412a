# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""What tags cannot teach, on generated scenes: one class under three sets of tags.

A CAM network learns the moth from scenes with and without it, from scenes in which
moth and wasp always come together, and from scenes that all show a moth. The maps of
the moth are scored against its masks, and drawn for some scenes.

    python demo/tag_quality.py --out work_dirs/tag_quality
"""

from __future__ import annotations

if __name__ == '__main__':
    from mmwsss.ctrl_c import end_at_ctrl_c
    end_at_ctrl_c()

import argparse
import json
import os.path as osp
import subprocess
import sys
from typing import TYPE_CHECKING

from mmwsss.utils.arguments import ToolParser
from mmwsss.utils.entry_point import run_tool

if TYPE_CHECKING:
    from PIL.Image import Image

CLASS, COMPANION = 'moth', 'wasp'
TAGS = {
    'with and without moths': lambda tags: True,
    'moth and wasp always together':
    lambda tags: (CLASS in tags) == (COMPANION in tags),
    'a moth on every photo': lambda tags: CLASS in tags,
}
CONFIG = osp.join(osp.dirname(__file__), '..', 'configs', 'cam', 'cam_demo.py')


def train(root: str, ids: list[str], work_dir: str, max_iters: int) -> str:
    """Train a CAM network on some of the scenes; returns its checkpoint."""
    from mmwsss.utils import project_path, write_lines
    write_lines(osp.join(work_dir, 'ids.txt'), ids)
    loaders = [f'{loader}_dataloader.dataset.{key}'
               for loader in ('train', 'val') for key in ('data_root', 'ann_file')]
    val_list = osp.join(root, 'ImageSets', 'Segmentation', 'val.txt')
    values = [root, osp.join(work_dir, 'ids.txt'), root, val_list]
    subprocess.run([
        sys.executable, project_path('tools', 'train.py'), CONFIG, '--work-dir',
        work_dir, '--cfg-options', *map('='.join, zip(loaders, values, strict=True)),
        f'train_cfg.max_iters={max_iters}', f'train_cfg.val_interval={max_iters + 1}',
        f'param_scheduler.end={max_iters + 1}'
    ], check=True)
    return osp.join(work_dir, f'iter_{max_iters}.pth')


def main(args: argparse.Namespace) -> None:
    import numpy as np
    from PIL import Image

    from mmwsss.apis import WSSSInferencer
    from mmwsss.utils import project_path, read_lines
    root = osp.abspath(osp.join(args.out, 'scenes'))
    subprocess.run([
        sys.executable, project_path('tools', 'dataset_converters',
                                     'make_demo_data.py'),
        '--out', root, '--num-train', str(9 * args.num_train // 2)
    ], check=True)
    with open(osp.join(root, 'image_labels.json'), encoding='utf-8') as file:
        table = json.load(file)
    split = osp.join(root, 'ImageSets', 'Segmentation')
    scenes = [name for name in read_lines(osp.join(split, 'val.txt'))
              if CLASS in table[name] and COMPANION in table[name]]
    rows = [[] for _ in scenes]
    for title, fits in TAGS.items():
        ids = [name for name in read_lines(osp.join(split, 'train.txt'))
               if fits(table[name])][:args.num_train]
        work_dir = osp.abspath(osp.join(args.out, title.replace(' ', '_')))
        inferencer = WSSSInferencer(
            CONFIG, train(root, ids, work_dir, args.max_iters))
        maps, moths, wasps = [], [], []
        for name, row in zip(scenes, rows, strict=True):
            path = osp.join(root, 'JPEGImages', f'{name}.jpg')
            mask = np.asarray(
                Image.open(osp.join(root, 'SegmentationClass', f'{name}.png')))
            result = inferencer(path, tags=table[name])
            label = inferencer.classes.index(CLASS)
            maps.append(result['seed'].scores[result['seed'].labels == label][0])
            moths.append(mask == label)
            wasps.append(mask == inferencer.classes.index(COMPANION))
            row += [] if row else [np.asarray(Image.open(path))]
            row.append(result['cams'][CLASS])
        score, moth, wasp = (np.stack(one) for one in (maps, moths, wasps))
        iou, threshold = max(
            ((moth & (score > t)).sum() / (moth | (score > t)).sum(), t)
            for t in np.linspace(0, 0.95, 20))
        print(f'{title}: {len(ids)} scenes; at the best threshold, {threshold:.2f}, '
              f'the IoU of moths is {100 * iou:.1f}, and '
              f'{(score > threshold)[wasp].mean():.0%} of the wasps is moth')
    draw(rows[:args.rows], ['scene', *TAGS]).save(
        osp.join(args.out, 'tag_quality.jpg'), quality=85)


def draw(rows: list, titles: list[str], size: int = 192) -> Image:
    """Pictures side by side, with titles above."""
    from PIL import Image, ImageDraw
    sheet = Image.new('RGB', (size * len(titles), size * len(rows) + 20), 'white')
    for x, title in enumerate(titles):
        ImageDraw.Draw(sheet).text((x * size + 4, 4), title, 'black')
        for y, row in enumerate(rows):
            picture = Image.fromarray(row[x]).resize((size, size))
            sheet.paste(picture, (x * size, y * size + 20))
    return sheet


def parse_args() -> argparse.Namespace:
    parser = ToolParser(__doc__)
    parser.add_argument(
        '--out', default='work_dirs/tag_quality', help='folder to write')
    parser.add_argument(
        '--num-train', type=int, default=200, help='scenes to train on, of each kind')
    parser.add_argument(
        '--max-iters', type=int, default=200, help='length of each training')
    parser.add_argument('--rows', type=int, default=4, help='scenes to draw')
    return parser.parse_args()


if __name__ == '__main__':
    run_tool(parse_args, main)

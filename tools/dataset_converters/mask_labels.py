# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Make a label table from masks: an image has the classes its mask shows.

Examples:
    python tools/dataset_converters/mask_labels.py data/own/masks \
        --classes data/own/classes.txt --out data/own/tags.json
    python tools/dataset_converters/mask_labels.py \
        data/VOCdevkit/VOC2012/SegmentationClassAug --classes voc \
        --out data/VOCdevkit/VOC2012/mask_labels.json
"""

if __name__ == '__main__':
    from mmwsss.ctrl_c import end_at_ctrl_c
    end_at_ctrl_c()

import argparse
import os
import os.path as osp

import numpy as np

from mmwsss.utils import read_id_list, walk_files
from mmwsss.utils.arguments import ToolParser
from mmwsss.utils.entry_point import run_tool
from mmwsss.utils.parallel import track_progress


def names_in_mask(path: str,
                  classes: list[str],
                  ignore_index: int = 255,
                  min_pixels: int = 1) -> list[str]:
    """Return the foreground classes that a mask shows.

    Args:
        path (str): A palette or grey PNG of class ids.
        classes (list[str]): All classes, background first.
        ignore_index (int): Id that is no class. Defaults to 255.
        min_pixels (int): Least number of pixels. Defaults to 1.

    Raises:
        ValueError: Naming the file, if an id is no class.
    """
    from mmwsss.datasets.image_io import read_mask
    ids, counts = np.unique(read_mask(path), return_counts=True)
    names = []
    for class_id, count in zip(ids, counts, strict=True):
        if class_id == ignore_index or class_id == 0:
            continue
        if class_id >= len(classes):
            raise ValueError(f'mask {path} holds class {class_id}, expected '
                             f'ids below {len(classes)} or {ignore_index}')
        if count >= min_pixels:
            names.append(classes[class_id])
    return names


def parse_args() -> argparse.Namespace:
    parser = ToolParser(__doc__)
    parser.add_argument('masks', help='folder of PNG masks')
    parser.add_classes(required=True)
    parser.add_argument('--out', required=True, help='JSON table to write')
    parser.add_argument('--list', help='list of ids, by default all masks')
    parser.add_argument('--ignore-index', type=int, default=255)
    parser.add_argument(
        '--min-pixels',
        type=int,
        default=1,
        help='least pixels that a class must have to count')
    return parser.parse_args()


def main(args: argparse.Namespace) -> None:
    from mmwsss.datasets.class_names import class_names
    from mmwsss.structures import save_label_table
    classes = class_names(args.classes)
    if args.list:
        ids = read_id_list(args.list)
    else:
        ids = sorted(
            name.removesuffix('.png').replace(os.sep, '/')
            for name in walk_files(args.masks) if name.endswith('.png'))
    if not ids:
        raise ValueError(f'{args.masks} holds no PNG mask')
    table = {
        image_id: names_in_mask(
            osp.join(args.masks, f'{image_id}.png'), classes,
            args.ignore_index, args.min_pixels)
        for image_id in track_progress(ids, len(ids))
    }
    save_label_table(args.out, table)
    print(f'{args.out}: {len(table)} images, '
          f'{sum(map(len, table.values()))} tags')


if __name__ == '__main__':
    run_tool(parse_args, main)

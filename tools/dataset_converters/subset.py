# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Take some classes, or some images, out of a data set in VOC layout.

The subset is a data set of its own: images, masks with the classes numbered
anew, lists, image_labels.json and classes.txt. Images that show none of the
classes are left out; pixels of other classes become 255 (or background).

Example, the six animals of PASCAL VOC at 320 pixels:
    python tools/dataset_converters/subset.py data/VOCdevkit/VOC2012 \
        --out data/voc_animals --classes cat cow dog horse person sheep \
        --lists train_aug val --masks SegmentationClassAug --long-side 320
"""

if __name__ == '__main__':
    from mmwsss.ctrl_c import end_at_ctrl_c
    end_at_ctrl_c()

import argparse
import os.path as osp

import numpy as np
from PIL import Image

from mmwsss.utils import atomic_write, read_id_list, with_background, write_lines
from mmwsss.utils.arguments import ToolParser
from mmwsss.utils.entry_point import run_tool
from mmwsss.utils.parallel import track_progress

LISTS = osp.join('ImageSets', 'Segmentation')


def class_lookup(source: list[str], classes: list[str],
                 others: int) -> np.ndarray:
    """Return the new id of each old id, uint8 of shape (256,).

    Args:
        source (list[str]): All classes of the source, background first.
        classes (list[str]): The classes kept, background first.
        others (int): Id that classes left out get.
    """
    lookup = np.full(256, others, dtype=np.uint8)
    lookup[255] = 255
    for new, name in enumerate(classes):
        lookup[source.index(name)] = new
    return lookup


def _copy_image(source: str, target: str, long_side: int | None) -> None:
    from mmwsss.datasets.annotations.copying import copy_file
    from mmwsss.datasets.image_io import read_image
    from mmwsss.datasets.transforms.geometry import pil_resize, scaled_size
    if long_side is None:
        copy_file(source, target)
        return
    image = read_image(source)
    size = scaled_size(image.shape[:2], long_side / max(image.shape[:2]))
    image = pil_resize(image, size, Image.Resampling.BICUBIC)
    with atomic_write(target) as file:
        Image.fromarray(image).save(file, 'JPEG', quality=95)


def parse_args() -> argparse.Namespace:
    parser = ToolParser(__doc__)
    parser.add_argument(
        'data_root', help='source in VOC layout, with image_labels.json')
    parser.add_argument('--out', required=True, help='folder to write')
    parser.add_argument(
        '--classes', nargs='+', required=True, help='class names to keep')
    parser.add_argument(
        '--source-classes',
        default='voc',
        help="all classes: 'voc', 'demo' or a text file of names")
    parser.add_argument('--lists', nargs='+', default=['train', 'val'],
                        help='names of the lists to convert (default: train val)')
    parser.add_argument('--ids', help='a list of images to keep')
    parser.add_argument('--masks', default='SegmentationClass',
                        help='folder of masks; images without one get none')
    parser.add_argument(
        '--others',
        choices=('ignore', 'background'),
        default='ignore',
        help='what pixels of other classes become')
    parser.add_argument('--long-side', type=int, help='resize images to it')
    return parser.parse_args()


def main(args: argparse.Namespace) -> None:
    """Write a subset.

    Raises:
        ValueError: If a class is unknown, a list ends up empty, or ``--out`` is the
            source.
        FileNotFoundError: If an image is missing.
    """
    from mmwsss.datasets.class_names import class_names
    from mmwsss.datasets.image_io import read_mask, voc_palette, write_mask
    from mmwsss.datasets.transforms.geometry import pil_resize, scaled_size
    from mmwsss.structures import read_label_names, save_label_table
    data_root, out, long_side = args.data_root, args.out, args.long_side
    if osp.realpath(out) == osp.realpath(data_root):
        raise ValueError(f'--out {out} is the source, which would be replaced')
    source_classes = class_names(args.source_classes)
    classes = with_background(args.classes)
    ids = set(read_id_list(args.ids)) if args.ids else None
    for name in classes:
        if name not in source_classes:
            raise ValueError(f'unknown class {name!r}, expected one of '
                             f'{", ".join(source_classes)}')
    table = read_label_names(osp.join(data_root, 'image_labels.json'))
    lookup = class_lookup(source_classes, classes,
                          255 if args.others == 'ignore' else 0)
    palette = voc_palette(len(classes))
    chosen = {}
    for name in args.lists:
        path = osp.join(data_root, LISTS, f'{name}.txt')
        listed = read_id_list(path)
        for image_id in listed:
            if image_id not in table:
                raise ValueError(f'{path}: image {image_id!r} is not listed '
                                 'in image_labels.json')
        chosen[name] = [
            i for i in listed
            if (ids is None or i in ids) and set(table[i]) & set(classes[1:])
        ]
        if not chosen[name]:
            raise ValueError(f'no image of {path} is in the subset')
    images = list(dict.fromkeys(i for part in chosen.values() for i in part))

    for image_id in track_progress(images, len(images)):
        _copy_image(
            osp.join(data_root, 'JPEGImages', f'{image_id}.jpg'),
            osp.join(out, 'JPEGImages', f'{image_id}.jpg'), long_side)
        path = osp.join(data_root, args.masks, f'{image_id}.png')
        if osp.exists(path):
            mask = lookup[read_mask(path)]
            if long_side is not None:
                size = scaled_size(mask.shape, long_side / max(mask.shape))
                mask = pil_resize(mask, size, Image.Resampling.NEAREST)
            write_mask(
                osp.join(out, 'SegmentationClass', f'{image_id}.png'), mask,
                palette)
    save_label_table(
        osp.join(out, 'image_labels.json'),
        {i: [n for n in table[i] if n in classes[1:]]
         for i in images})
    texts = {osp.join(LISTS, f'{n}.txt'): part for n, part in chosen.items()}
    texts['classes.txt'] = classes
    for name, lines in texts.items():
        write_lines(osp.join(out, name), lines)
    counts = ', '.join(f'{n}: {len(part)}' for n, part in chosen.items())
    print(f'{out}: {len(classes)} classes with background; {counts} images')


if __name__ == '__main__':
    run_tool(parse_args, main)

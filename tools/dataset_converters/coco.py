# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Make masks, a label table and lists from COCO instance annotations.

There is no single way to flatten instances into one mask; two are in use:
  A  crowds left out, annotations drawn in file order, later ones on top
     (as CLIMS does);
  B  crowds drawn too, smaller areas on top (coco2voc, as AFA advises).
Scores depend on it, so name the recipe beside every number; it is written to
<out>/masks/<split>.json. Class ids are contiguous, in the order of COCO's own
sparse ids; 0 is background, 255 is ignored.

Writes below <out>: masks/<split>/<image>.png, labels_<split>.json,
lists/<split>.txt, lists/<split>_labeled.txt (images with a tag), classes.txt.
Masks that are there already are kept, so a stopped run can be taken up again.

Example:
    python tools/dataset_converters/coco.py \
        data/coco/annotations/instances_train2014.json \
        --out data/coco --split train2014 --recipe B --jobs 8
"""

if __name__ == '__main__':
    from mmwsss.ctrl_c import end_at_ctrl_c
    end_at_ctrl_c()

import argparse
import functools
import os.path as osp
from collections import defaultdict
from typing import Any

import numpy as np

from mmwsss.utils import (
    check_image_ids,
    check_unique,
    naming,
    read_json,
    walk_files,
    with_background,
    write_json,
    write_lines,
)
from mmwsss.utils.arguments import ToolParser
from mmwsss.utils.entry_point import run_tool
from mmwsss.utils.parallel import map_in_forks, track_progress

try:
    from pycocotools import mask as coco_mask
except ImportError:
    coco_mask = None

IGNORE = 255
_INSTANCES = dict(
    images=dict(id=int, file_name=str, height=int, width=int),
    annotations=dict(image_id=int, category_id=int),
    categories=dict(id=int, name=str))


def decode_instance(annotation: dict, height: int, width: int) -> np.ndarray:
    """Decode polygons or RLE into a bool mask of shape (height, width)."""
    if coco_mask is None:
        raise ImportError('COCO masks need pycocotools: '
                          'pip install pycocotools')
    from mmwsss.datasets.annotations.shapes import check_corners, decode_runs
    shape = annotation['segmentation']
    if not isinstance(shape, list):
        return decode_runs(shape, (height, width))
    check_corners(shape)
    rle = coco_mask.merge(coco_mask.frPyObjects(shape, height, width))
    return coco_mask.decode(rle).astype(bool)


def drawing_order(annotations: list[dict], recipe: str,
                  crowd: str) -> list[dict]:
    """Return the annotations that are drawn, bottom first.

    Args:
        annotations (list[dict]): Annotations of one image in file order.
        recipe (str): ``'A'`` or ``'B'``.
        crowd (str): ``'skip'``, ``'include'`` or ``'ignore'``.
    """
    drawn = [
        a for a in annotations if crowd != 'skip' or not a.get('iscrowd', 0)
    ]
    if recipe == 'A':
        return drawn
    # Of equal areas the first in the file is on top: it was there first.
    return sorted(drawn, key=lambda a: a['area'])[::-1]


def flatten_instances(annotations: list[dict],
                      class_ids: dict[int, int],
                      height: int,
                      width: int,
                      recipe: str = 'B',
                      crowd: str = 'include',
                      void: int = 0) -> np.ndarray:
    """Draw the instances of one image into one mask of class ids.

    Args:
        annotations (list[dict]): COCO annotations of the image.
        class_ids (dict[int, int]): Contiguous id of each category id.
        height (int): Height of the image.
        width (int): Width of the image.
        recipe (str): ``'A'``: file order, the last on top. ``'B'``: by area,
            the smallest on top. Defaults to ``'B'``.
        crowd (str): What becomes of crowds: ``'skip'``, ``'include'``, or
            ``'ignore'`` (255). Defaults to ``'include'``.
        void (int): Width in pixels, odd, of a band of 255 along the borders
            of instances; 0 for none. Defaults to 0.

    Returns:
        np.ndarray: uint8 mask of shape (height, width).
    """
    import cv2
    mask = np.zeros((height, width), dtype=np.uint8)
    owner = np.zeros((height, width), dtype=np.int16)
    order = drawing_order(annotations, recipe, crowd)
    for number, annotation in enumerate(order, start=1):
        inside = decode_instance(annotation, height, width)
        ignored = crowd == 'ignore' and annotation.get('iscrowd', 0)
        mask[inside] = (
            IGNORE if ignored else class_ids[annotation['category_id']])
        owner[inside] = number
    if void:
        window = np.ones((void, void), dtype=np.uint8)
        border = cv2.dilate(owner, window) != cv2.erode(owner, window)
        mask[border] = IGNORE
    return mask


def label_names(annotations: list[dict], names: dict[int, str], recipe: str,
                crowd: str) -> list[str]:
    """Return the classes of the instances that a recipe draws as classes."""
    present = {
        a['category_id'] for a in drawing_order(annotations, recipe, crowd)
        if crowd != 'ignore' or not a.get('iscrowd', 0)
    }
    return [names[category] for category in sorted(names)
            if category in present]


def _convert(job: tuple, folder: str, class_ids: dict, palette: list,
             settings: dict) -> None:
    from mmwsss.datasets.image_io import write_mask
    image, annotations = job
    path = osp.join(folder, f'{osp.splitext(image["file_name"])[0]}.png')
    if osp.exists(path):
        return
    try:
        mask = flatten_instances(
            annotations, class_ids, image['height'], image['width'],
            settings['recipe'], settings['crowd'], settings['void'])
    except ImportError:
        raise
    # pycocotools raises bare exceptions.
    except Exception as error:
        raise ValueError(f'image {image["file_name"]}: bad annotation: '
                         f'{error!r}') from error
    write_mask(path, mask, palette)


def _check_settings(path: str, settings: dict) -> None:
    """Do not mix two recipes in one folder."""
    folder = osp.splitext(path)[0]
    if osp.exists(path) and osp.isdir(folder) and any(walk_files(folder)):
        previous = read_json(path)
        if previous != settings:
            raise ValueError(
                f'{path} says that the masks there were made with {previous}, '
                f'asked for {settings}; choose another --out or remove them')
    else:
        write_json(path, settings)


def _check_instances(path: str, content: Any) -> None:
    """Refuse a file that is no COCO ``instances_*.json``."""
    if not isinstance(content, dict) or _INSTANCES.keys() - content.keys():
        has = sorted(content) if isinstance(content, dict) else content
        raise ValueError(f'{path}: expected COCO instances with '
                         f'{", ".join(_INSTANCES)}; it has {str(has)[:80]}')
    for kind, keys in _INSTANCES.items():
        items = content[kind]
        if not isinstance(items, list):
            raise ValueError(f'{path}: {kind} must be a list')
        for number, item in enumerate(items):
            for key, types in keys.items():
                if not isinstance(item, dict) or \
                        not isinstance(item.get(key), types):
                    raise ValueError(f'{path}: {kind}[{number}] has no valid '
                                     f'{key!r}: {str(item)[:80]}')
    check_unique([category['id'] for category in content['categories']], path)
    check_unique([image['id'] for image in content['images']], path)
    check_image_ids([osp.splitext(image['file_name'])[0]
                     for image in content['images']], path)


def parse_args() -> argparse.Namespace:
    parser = ToolParser(__doc__)
    parser.add_argument('annotations', help='instances_*.json')
    parser.add_argument('--out', required=True, help='folder to write to')
    parser.add_argument(
        '--split', required=True, help='name of the split, as train2014')
    parser.add_argument('--recipe', choices=('A', 'B'), default='B')
    parser.add_argument(
        '--crowd',
        choices=('skip', 'include', 'ignore'),
        help='crowds: left out, drawn, or 255; by default as the recipe says')
    parser.add_argument(
        '--void',
        type=int,
        default=0,
        help='width of a band of 255 along instance borders, as 7')
    parser.add_argument(
        '--labels',
        choices=('annotations', 'masks'),
        default='annotations',
        help='tags of what is drawn, or of what is visible in the end')
    parser.add_argument('--jobs', type=int, default=1, help='processes')
    return parser.parse_args()


def main(args: argparse.Namespace) -> None:
    """Convert a COCO ``instances_*.json``.

    Raises:
        ValueError: Naming what is wrong with the file, or if the masks there
            were made with other settings.
    """
    from mmwsss.datasets.image_io import read_mask, voc_palette
    from mmwsss.structures import save_label_table
    check_image_ids([args.split], '--split')
    if args.void and args.void % 2 == 0:
        raise ValueError(f'expected an odd width of void, got {args.void}')
    recipe, split = args.recipe, args.split
    crowd = args.crowd or ('skip' if recipe == 'A' else 'include')
    content = read_json(args.annotations)
    _check_instances(args.annotations, content)
    names = {c['id']: c['name'] for c in content['categories']}
    class_ids = {c: i for i, c in enumerate(sorted(names), start=1)}
    classes = with_background(
        ['background', *(names[c] for c in sorted(names))], args.annotations)
    known = {image['id'] for image in content['images']}
    of_image = defaultdict(list)
    for annotation in content['annotations']:
        for key, valid in (('image_id', known), ('category_id', names)):
            if annotation[key] not in valid:
                raise ValueError(
                    f'{args.annotations}: annotation {annotation.get("id")} '
                    f'has an unknown {key}: {annotation[key]}')
        of_image[annotation['image_id']].append(annotation)
    images = sorted(content['images'], key=lambda image: image['file_name'])
    if not images:
        raise ValueError(f'{args.annotations} lists no image')

    settings = dict(recipe=recipe, crowd=crowd, void=args.void)
    folder = osp.join(args.out, 'masks', split)
    _check_settings(f'{folder}.json', settings)
    work = functools.partial(
        _convert,
        folder=folder,
        class_ids=class_ids,
        palette=voc_palette(len(classes)),
        settings=settings)
    todo = [(image, of_image[image['id']]) for image in images]
    with naming(args.annotations):
        for _ in track_progress(map_in_forks(work, todo, args.jobs, 16), len(todo)):
            pass

    table = {}
    for image, annotations in todo:
        stem = osp.splitext(image['file_name'])[0]
        if args.labels == 'masks':
            shown = np.unique(read_mask(osp.join(folder, f'{stem}.png')))
            table[stem] = [classes[i] for i in shown if 0 < i < IGNORE]
        else:
            table[stem] = label_names(annotations, names, recipe, crowd)
    save_label_table(osp.join(args.out, f'labels_{split}.json'), table)
    labeled = [stem for stem, tags in table.items() if tags]
    for name, lines in (('classes.txt', classes),
                        (f'lists/{split}.txt', list(table)),
                        (f'lists/{split}_labeled.txt', labeled)):
        write_lines(osp.join(args.out, name), lines)
    print(f'{len(table)} images, {len(labeled)} with a tag; recipe {recipe}, '
          f'crowds: {crowd}, void: {args.void} px')


if __name__ == '__main__':
    run_tool(parse_args, main)

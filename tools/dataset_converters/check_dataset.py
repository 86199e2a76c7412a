# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Check a data root and print its statistics, before hours are spent on it.

Every listed image must have an image that can be read to its end, tags of
known classes and, where there is one, a mask of the image's size with known
ids. All problems are listed, and the exit status is 1 if there is any. Files that
are no images, masks of no image and images that the list leaves out are named.

Examples:
    python tools/dataset_converters/check_dataset.py data/VOCdevkit/VOC2012 \
        --list ImageSets/Segmentation/train_aug.txt --expect voc12_train_aug
    python tools/dataset_converters/check_dataset.py data/coco --classes coco \
        --list lists/train2014.txt --labels labels_train2014.json \
        --images train2014 --masks masks/train2014 --expect coco14_train
    python tools/dataset_converters/check_dataset.py data/own \
        --classes data/own/classes.txt --labels tags.csv --images images \
        --masks masks
"""

if __name__ == '__main__':
    from mmwsss.ctrl_c import end_at_ctrl_c
    end_at_ctrl_c()

import argparse
import os
import os.path as osp
import sys
from collections import Counter
from collections.abc import Container

import numpy as np

from mmwsss.image_folder import likely_name
from mmwsss.utils import read_id_list, write_json
from mmwsss.utils.arguments import ToolParser
from mmwsss.utils.entry_point import run_tool
from mmwsss.utils.image_files import sort_files
from mmwsss.utils.parallel import map_in_forks, track_progress
from mmwsss.utils.paths import walk_all

_VOC_CLASSES = (
    'aeroplane', 'bicycle', 'bird', 'boat', 'bottle', 'bus', 'car', 'cat', 'chair',
    'cow', 'diningtable', 'dog', 'horse', 'motorbike', 'person', 'pottedplant',
    'sheep', 'sofa', 'train', 'tvmonitor')
_VOC_TRAIN_AUG = (590, 504, 705, 468, 714, 393, 1150, 1005, 1228, 267, 613,
                  1188, 445, 492, 4155, 522, 300, 649, 503, 567)

# The published lists with labels from the XML files (rule of voc_labels.py).
EXPECTED = dict(
    voc12_train=dict(
        images=1464,
        images_by_tags={1: 933, 2: 382, 3: 125, 4: 21, 5: 3}),
    voc12_train_aug=dict(
        images=10582,
        tags=16458,
        images_by_tags={1: 6249, 2: 3104, 3: 969, 4: 210, 5: 46, 6: 4},
        images_by_class=dict(zip(_VOC_CLASSES, _VOC_TRAIN_AUG, strict=True))),
    voc12_val=dict(images=1449),
    voc12_test=dict(images=1456),
    coco14_train=dict(images=82783),
    coco14_train_labeled=dict(images=82081),
    coco14_val=dict(images=40504),
    coco14_val_labeled=dict(images=40137))


def tag_statistics(tags: list[list[str]], classes: list[str]) -> dict:
    """Count images and tags.

    Args:
        tags (list[list[str]]): Class names of each image.
        classes (list[str]): All classes, background first.

    Returns:
        dict: ``images``, ``tags``, ``images_by_tags`` (number of images with
        that many tags) and ``images_by_class``.
    """
    per_image = Counter(len(set(names)) for names in tags)
    per_class = Counter(name for names in tags for name in set(names))
    return dict(
        images=len(tags),
        tags=sum(per_class.values()),
        images_by_tags={k: per_image[k] for k in sorted(per_image)},
        images_by_class={name: per_class[name] for name in classes[1:]})


def compare(statistics: dict, expected: dict) -> list[str]:
    """Return a line for each number that differs from what is published."""
    problems = []
    for key, value in expected.items():
        got = statistics[key]
        if not isinstance(value, dict):
            value, got = {'': value}, {'': got}
        for part in {**value, **got}:
            if value.get(part, 0) != got.get(part, 0):
                what = f'{key} {part}'.strip()
                problems.append(f'{what}: expected {value.get(part, 0)}, '
                                f'got {got.get(part, 0)}')
    return problems


def check_image(job: tuple) -> tuple[list[str], tuple | None, list | None]:
    """Check the files of one image.

    Args:
        job (tuple): Id, path of the image, path of the mask or None, and
            number of classes.

    Returns:
        tuple: Problems; (height, width) of the image or None; class ids in
        the mask or None.
    """
    from mmwsss.datasets.image_io import read_image, read_mask
    image_id, image_path, mask_path, num_classes = job
    try:
        size = read_image(image_path).shape[:2]
    except FileNotFoundError:
        return [f'image {image_id!r}: no image {image_path}'], None, None
    except (OSError, ValueError) as error:
        return [f'image {image_id!r}: {error}'], None, None
    if mask_path is None:
        return [], size, None
    try:
        mask = read_mask(mask_path)
    except (OSError, ValueError) as error:
        return [f'image {image_id!r}: {error}'], size, None
    problems = []
    if mask.shape != size:
        problems.append(
            f'image {image_id!r}: mask {mask_path} is {mask.shape[1]}x'
            f'{mask.shape[0]}, expected {size[1]}x{size[0]} as its image')
    ids = [int(i) for i in np.unique(mask) if i != 255]
    if ids and ids[-1] >= num_classes:
        problems.append(f'image {image_id!r}: mask {mask_path} holds class '
                        f'{ids[-1]}, expected ids below {num_classes}')
    return problems, size, ids


def check_tags(ids: list[str], table: dict[str, list[str]],
               classes: list[str], path: str, allow_empty: bool) -> list[str]:
    """Return a line for each image without tags, and for each unknown tag."""
    problems = []
    unknown: dict[str, list[str]] = {}
    for image_id in ids:
        names = table.get(image_id)
        if names is None:
            problems.append(f'image {image_id!r}: not listed in {path}')
            continue
        if not names and not allow_empty:
            problems.append(f'image {image_id!r}: no tags in {path}')
        for name in names:
            if name not in classes:
                unknown.setdefault(name, []).append(image_id)
    for name, shown in unknown.items():
        others = f' and {len(shown) - 1} more' if len(shown) > 1 else ''
        likely = likely_name(name, classes[1:])
        problems.append(
            f'image {shown[0]!r}{others}: unknown class {name!r} in {path}'
            f'{f"; perhaps {likely!r} is meant" if likely else ""}')
    return problems


def check_dataset(args: argparse.Namespace,
                  classes: list[str]) -> tuple[dict, list[str]]:
    """Check a data root.

    Args:
        args (Namespace): The command line.
        classes (list[str]): All classes, background first.

    Returns:
        tuple[dict, list[str]]: Statistics, and the problems found.
    """
    from mmwsss.structures import read_label_names, strip_image_suffix
    data_root, masks = args.data_root, args.masks
    folder = osp.join(data_root, args.images)
    paths, others = sort_files(folder)
    if not paths:
        raise ValueError(f'image folder {folder} holds no image')
    if masks and not osp.isdir(osp.join(data_root, masks)):
        raise FileNotFoundError(
            f'folder of masks {osp.join(data_root, masks)} does not exist')
    problems = []
    if args.list:
        ids = [strip_image_suffix(i) for i in read_id_list(
            osp.join(data_root, args.list))]
    else:
        ids = list(paths)
    statistics, table = dict(images=len(ids)), None
    if args.labels:
        table_path = osp.join(data_root, args.labels)
        table = read_label_names(table_path)
        problems += check_tags(ids, table, classes, table_path, args.allow_empty)
        statistics = tag_statistics([table.get(i, []) for i in ids], classes)

    work, num_masks = [], 0
    for image_id in ids:
        path = paths.get(image_id)
        if path is None:
            problems.append(f'image {image_id!r}: no image in {folder}')
            continue
        mask = osp.join(data_root, masks, f'{image_id}.png') if masks else None
        if mask and not osp.exists(mask):
            mask = None
        num_masks += mask is not None
        work.append((image_id, path, mask, len(classes)))
    statistics['images_with_mask'] = num_masks
    statistics['files_not_used'] = {
        osp.relpath(path, folder): kind for path, kind in others.items()}
    if masks:
        statistics['files_not_used'].update(unused_masks(data_root, masks, paths))
    if args.list:
        # Those of the other splits, as a rule.
        listed = set(ids)
        statistics['images_not_in_list'] = [
            image_id for image_id in paths if image_id not in listed]
    if work and not args.quick:
        statistics.update(_read_all(work, args.jobs, problems, table, classes))
    return statistics, problems


def unused_masks(data_root: str, masks: str, images: Container[str]) -> dict[str, str]:
    """Say what below the folder of masks is the mask of no image, and why."""
    folder = osp.join(data_root, masks)
    found = {}
    for name, reason in walk_all(folder):
        image_id, suffix = osp.splitext(name)
        if not reason and suffix != '.png':
            reason = 'mask that is no .png'
        elif not reason and image_id.replace(os.sep, '/') not in images:
            reason = 'mask of no image'
        if reason:
            found[osp.join(masks, name)] = reason
    return found


def _read_all(work: list, jobs: int, problems: list[str], table: dict | None,
              classes: list[str]) -> dict:
    """Read all files, add to ``problems`` and return more statistics."""
    sizes, differ = [], 0
    results = zip(work, map_in_forks(check_image, work, jobs), strict=True)
    for job, (found, size, ids) in track_progress(
            results, len(work), file=sys.stderr):
        problems += found
        if size is not None:
            sizes.append(size)
        if ids is not None and table:
            shown = {classes[i] for i in ids if 0 < i < len(classes)}
            differ += shown != set(table.get(job[0], []))
    statistics = dict(images_whose_mask_and_tags_differ=differ)
    if sizes:
        sides = np.array([max(size) for size in sizes])
        statistics.update(
            least_long_side=int(sides.min()),
            mean_long_side=round(float(sides.mean()), 1),
            greatest_long_side=int(sides.max()))
    return statistics


def parse_args() -> argparse.Namespace:
    parser = ToolParser(__doc__)
    parser.add_argument('data_root')
    parser.add_argument('--list', help='list of ids, by default all images')
    parser.add_classes(default='voc')
    parser.add_argument(
        '--labels',
        default='image_labels.json',
        help="label table, '' for none")
    parser.add_argument('--images', '--photos', default='JPEGImages')
    parser.add_argument('--masks', help='folder of masks, as SegmentationClass')
    parser.add_argument(
        '--allow-empty',
        action='store_true',
        help='images without tags are no problem (COCO)')
    parser.add_argument(
        '--expect',
        choices=sorted(EXPECTED),
        help='compare with published numbers')
    parser.add_argument('--jobs', type=int, default=1, help='processes')
    parser.add_argument(
        '--quick', action='store_true', help='do not read images and masks')
    parser.add_argument('--out', help='write the statistics to a JSON file')
    return parser.parse_args()


def main(args: argparse.Namespace) -> int:
    from mmwsss.datasets.class_names import class_names
    statistics, problems = check_dataset(args, class_names(args.classes))
    if args.expect:
        problems += [
            f'{args.expect}: {line}'
            for line in compare(statistics, EXPECTED[args.expect])
        ]
    for path, kind in statistics['files_not_used'].items():
        print(f'not used: {path} ({kind})')
    for key, value in statistics.items():
        if key == 'images_not_in_list' and value:
            shown = ', '.join(value[:10]) + ', ...' * (len(value) > 10)
            value = f'{len(value)} ({shown}; --out writes all)'
        elif key in ('files_not_used', 'images_not_in_list'):
            value = len(value)
        if isinstance(value, dict):
            value = ', '.join(f'{k}: {v}' for k, v in value.items())
        print(f'{key.replace("_", " ")}: {value}')
    if args.out:
        write_json(args.out, dict(statistics, problems=problems))
    for line in problems:
        print(f'PROBLEM {line}')
    print(f'{len(problems)} problems' if problems else 'no problem found')
    return 1 if problems else 0


if __name__ == '__main__':
    run_tool(parse_args, main)

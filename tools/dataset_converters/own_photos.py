# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Look at a folder of one's own photos, check it, and lay it out for the recipes.

Look and check:  python tools/dataset_converters/own_photos.py my_photos
Lay out, too:    ... my_photos --out work_dirs/my_photos/data --max-long 512

Photos, tags (a csv or json table, or one folder a class), classes, masks and lists
are found by themselves. The layout is that of configs/*/*_folder.py: photos/ (links,
or copies where a photo is larger than --max-long or turned by EXIF), tags.csv,
classes.txt, masks/ and the lists train.txt, seeds.txt, val.txt and test.txt. A folder
in which tags cannot teach, or files cannot be read, ends with exit status 3.
"""

from __future__ import annotations

if __name__ == '__main__':
    from mmwsss.ctrl_c import end_at_ctrl_c
    end_at_ctrl_c()

import argparse
import csv
import hashlib
import os
import os.path as osp
import sys
from collections.abc import Iterable

from mmwsss.image_folder import (
    Finding,
    ImageFolder,
    check_tags,
    find_layout,
    split_images,
)
from mmwsss.image_folder.layout import SPLITS
from mmwsss.image_folder.splits import HELD_OUT, MIN_MASKS
from mmwsss.utils import atomic_write, read_json, write_json, write_lines
from mmwsss.utils.arguments import ToolParser
from mmwsss.utils.entry_point import STOPPED_BY_CHECK, run_tool
from mmwsss.utils.parallel import map_in_forks, track_progress
from mmwsss.utils.paths import walk_all

RECORD = 'photos.json'
"""What was found, used or not, what the checks said, and whence each image came."""

CHECKS = 'checks.json'
"""What the checks said, as a report takes it."""

FEW_SCORE = 20
"""On fewer images an mIoU may be points off."""

_SHOWN = 5
_QUALITY = 95


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = ToolParser(__doc__)
    parser.add_argument('images', metavar='photos', help='the folder')
    parser.add_argument('--tags', help='the table of tags, if it is not found')
    parser.add_argument('--masks', help='the folder of masks, if it is not found')
    parser.add_argument('--classes', help='the list of classes, if it is not found')
    parser.add_argument('--out', help='folder to lay the photos out in')
    parser.add_argument(
        '--max-long', type=int, default=1024,
        help='copies of larger photos have this long side (default: 1024)')
    parser.add_argument(
        '--known-classes', action='store_true',
        help='a model that knows the classes already places them (CLIP): a tag may be '
        'on nearly all photos, or on few')
    parser.add_argument('--quick', action='store_true', help='read no photo')
    parser.add_argument(
        '--force', action='store_true',
        help='go on in spite of problems: what cannot be used is left out')
    parser.add_argument(
        '--jobs', type=int, default=os.cpu_count(), help='processes that read')
    args = parser.parse_args()
    if args.max_long < 32:
        parser.error(f'--max-long must be at least 32, got {args.max_long}')
    if args.out and args.quick:
        parser.error('--out reads the photos: leave --quick out')
    return args


def look_at_image(job: tuple) -> dict:
    """Read an image and its mask, and write their copies.

    Args:
        job (tuple): Id, image, mask or '', number of classes, folder of copies or
            '', their longest side.

    Returns:
        dict: ``id``, ``problem`` ('' if there is none), ``digest`` of the image's
        file, ``shown`` (class ids in the mask) and ``file``, the copy's name.
    """
    import cv2
    import numpy as np
    from PIL import Image

    from mmwsss.datasets.image_io import read_image, read_mask, voc_palette, write_mask
    image_id, path, mask_path, num_classes, out, max_long = job
    told = dict(id=image_id, problem='', digest='', shown=[], file='')
    try:
        with open(path, 'rb') as file:
            told['digest'] = hashlib.sha256(file.read()).hexdigest()
        image = read_image(path)
        mask = read_mask(mask_path) if mask_path else None
    except (OSError, ValueError) as error:
        return dict(told, problem=str(error))
    size = image.shape[:2]
    if mask is not None:
        ids = [int(one) for one in np.unique(mask) if one != 255]
        told['shown'] = ids
        if mask.shape != size:
            told['problem'] = (f'the mask {mask_path} is {mask.shape[1]}x'
                               f'{mask.shape[0]}, its photo {size[1]}x{size[0]}')
        elif ids and ids[-1] >= num_classes:
            told['problem'] = (f'the mask {mask_path} holds the id {ids[-1]}; with '
                               f'{num_classes - 1} classes ids end there')
    if told['problem'] or not out:
        return told
    scale = min(1., max_long / max(size))
    with Image.open(path) as header:
        turned = header.getexif().get(0x0112, 1) != 1
    width, height = (max(1, round(side * scale)) for side in size[::-1])
    if scale == 1 and not turned:
        told['file'] = image_id + osp.splitext(path)[1]
        _link(path, osp.join(out, 'photos', told['file']))
    else:
        told['file'] = f'{image_id}.jpg'
        small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        with atomic_write(osp.join(out, 'photos', told['file'])) as file:
            Image.fromarray(small).save(file, 'JPEG', quality=_QUALITY)
    if mask is not None:
        mask = cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST)
        write_mask(osp.join(out, 'masks', f'{image_id}.png'), mask,
                   voc_palette(num_classes))
    return told


def _link(path: str, link: str) -> None:
    target = osp.realpath(path)
    os.makedirs(osp.dirname(link), exist_ok=True)
    if osp.islink(link) and os.readlink(link) == target:
        return
    if osp.lexists(link):
        os.remove(link)
    os.symlink(target, link)


def stamp(*paths: str) -> list:
    """What changes when one of these files does."""
    stamps = []
    for path in filter(None, paths):
        status = os.stat(path)
        stamps += [osp.realpath(path), status.st_size, status.st_mtime_ns]
    return stamps


def check_files(folder: ImageFolder, told: dict[str, dict],
                lists: dict[str, list[str]]) -> list[Finding]:
    """What reading the files has found."""
    found = []
    broken = [one for one in told.values() if one['problem']]
    if broken:
        lines = [f'{one["id"]}: {one["problem"]}' for one in broken[:_SHOWN]]
        more = len(broken) - len(lines)
        found.append(Finding(
            'files', f'{len(broken)} cannot be used: {"; ".join(lines)}'
            f'{f"; and {more} more" if more else ""}'))
    if folder.masks and not lists['test']:
        found.append(Finding(
            'masks', f'{len(lists["val"])} masks choose the threshold, none is left to '
            f'score the model: name photos in test.txt, or bring {MIN_MASKS} masks or '
            f'more (at most {HELD_OUT:.0%} of the photos are kept from training)',
            stops=False))
    elif 0 < len(lists['test']) < FEW_SCORE:
        found.append(Finding(
            'masks', f'{len(lists["test"])} photos score the model, so its mIoU is '
            f'rough. {FEW_SCORE} and more, in test.txt or drawn from more masks, tell '
            'better', stops=False))
    if folder.masks and not folder.class_source:
        found.append(Finding(
            'masks', 'there are masks, but no classes.txt that says which class each '
            'id is: write it, one class a line, the first line is id 1'))
    differ = [one['id'] for one in told.values() if one['id'] in folder.masks and {
        folder.classes[i - 1] for i in one['shown'] if 0 < i <= len(folder.classes)
    } != set(folder.tags.get(one['id'], []))]
    if differ:
        found.append(Finding(
            'masks', f'{len(differ)} of {len(folder.masks)} masks show other classes '
            f'than the tags of their photo, first {differ[0]!r}', stops=False))
    splits = {key: name for name, ids in lists.items() for key in ids}
    first: dict[str, str] = {}
    twice = []
    for one in told.values():
        other = first.setdefault(one['digest'], one['id']) if one['digest'] else ''
        if other and splits.get(other) != splits.get(one['id']):
            twice.append((other, one['id']))
    if twice:
        found.append(Finding(
            'split', f'{len(twice)} photos are copies of one in another list, first '
            f'{twice[0][0]!r} and {twice[0][1]!r}: what is measured there was '
            'trained on. Remove the copies'))
    return found


def write_folder(out: str, folder: ImageFolder, usable: set[str],
                 lists: dict[str, list[str]]) -> None:
    """Write tables and lists of images that lie there already."""
    write_lines(osp.join(out, 'classes.txt'), folder.classes)
    with atomic_write(osp.join(out, 'tags.csv'), 'w') as file:
        rows = csv.writer(file, lineterminator='\n')
        rows.writerow(('photo', 'tags'))
        for key in sorted(usable):
            names = [one for one in folder.tags.get(key, ()) if one in folder.classes]
            if names:
                rows.writerow((key, *names))
    lists = {name: [key for key in ids if key in usable] for name, ids in lists.items()}
    lists['seeds'] = sorted(lists['train'] + lists['val'])
    for name, ids in lists.items():
        path = osp.join(out, f'{name}.txt')
        if ids:
            write_lines(path, ids)
        elif osp.exists(path):
            os.remove(path)


def remove_others(folder: str, names: Iterable[str]) -> None:
    """Remove files of images that are no longer there."""
    kept = set(names)
    # Links to images that are gone lead nowhere.
    for name, reason in list(walk_all(folder)) if osp.isdir(folder) else []:
        if name not in kept and reason != 'hidden':
            os.remove(osp.join(folder, name))


def claim_folder(out: str, folder: ImageFolder) -> dict[str, dict]:
    """Make sure that the folder to lay images out in holds nobody's own files.

    What is there is replaced, and removed where its image is gone.

    Args:
        out (str): The folder.
        folder (ImageFolder): The images.

    Returns:
        dict[str, dict]: What the last run has told of each image; a damaged record
        tells nothing.

    Raises:
        ValueError: If images, masks and the folder lie in one another.
        FileExistsError: If it holds files that this tool did not write.
    """
    here, root = osp.realpath(out), osp.realpath(folder.root)
    ours = [osp.join(here, name) for name in ('photos', 'masks')]
    work_dirs = osp.join(root, 'work_dirs')
    for source in filter(None, (folder.image_root, folder.mask_root)):
        real = osp.realpath(source)
        among = _is_below(here, real) and not (
            real == root and _is_below(here, work_dirs))
        if here == root or among or any(_is_below(real, one) for one in ours):
            raise ValueError(f'--out {out} would mix copies with the files in {source}'
                             '; choose a folder elsewhere')
    record = osp.join(out, RECORD)
    if not osp.exists(record):
        names = ['tags.csv', 'classes.txt', CHECKS, 'photos', 'masks',
                 *(f'{name}.txt' for name in (*SPLITS, 'seeds'))]
        if others := [name for name in names if osp.lexists(osp.join(out, name))]:
            raise FileExistsError(f'{out} holds {others[0]}, which this tool did not '
                                  'write; choose another folder')
        write_json(record, dict(source=osp.abspath(folder.root), photos={}))
    try:
        told = read_json(record)
    except ValueError:
        return {}
    if not isinstance(told, dict) or 'source' not in told:
        raise FileExistsError(f'{record} is not of this tool; choose another folder')
    known = told.get('photos')
    return {key: one for key, one in known.items() if _is_told(one, key)} \
        if isinstance(known, dict) else {}


def _is_below(path: str, folder: str) -> bool:
    return osp.join(path, '').startswith(osp.join(folder, ''))


def _is_told(one: object, key: str) -> bool:
    """Whether it is what :func:`look_at_image` tells of the image."""
    return isinstance(one, dict) and one.get('id') == key and all(
        isinstance(one.get(name), str) for name in ('problem', 'digest', 'file')
    ) and osp.splitext(one['file'])[0] in ('', key) and isinstance(
        one.get('shown'), list) and all(type(value) is int for value in one['shown'])


def look(args: argparse.Namespace, folder: ImageFolder,
         lists: dict[str, list[str]]) -> dict[str, dict]:
    """What is known of each image, from this run or the last."""
    known = claim_folder(args.out, folder) if args.out else {}
    setting = [args.max_long, len(folder.classes)]
    wanted = sorted({key for ids in lists.values() for key in ids}
                    if args.out else folder.images)
    told, jobs, stamps = {}, [], {}
    for key in wanted:
        image, mask = folder.images[key], folder.masks.get(key, '')
        stamps[key] = [*setting, *stamp(image, mask)]
        before = known.get(key, {})
        if before.get('stamp') == stamps[key] and osp.exists(
                osp.join(args.out, 'photos', before['file'])):
            told[key] = before
        else:
            jobs.append((key, image, mask, len(folder.classes) + 1, args.out or '',
                         args.max_long))
    if jobs:
        # Once, before the processes are forked.
        import mmwsss.datasets.image_io  # noqa: F401
        processes = max(1, min(args.jobs, len(jobs) // 16))
        for one in track_progress(
                map_in_forks(look_at_image, jobs, processes), len(jobs)):
            told[one['id']] = dict(one, stamp=stamps[one['id']])
    return {key: told[key] for key in wanted}


def main(args: argparse.Namespace) -> int:
    """Look, check, lay out."""
    folder = find_layout(args.images, args.tags, args.masks, args.classes)
    print(f'{args.images}:')
    for line in folder.describe():
        print(f'  {line}')
    for path, kind in folder.unused.items():
        print(f'  not used: {path} ({kind})')
    lists = split_images(folder, hold_tags=not args.known_classes)
    findings = check_tags(folder, folder.lists, args.known_classes)
    told: dict[str, dict] = {}
    if not args.quick:
        told = look(args, folder, lists)
        findings += check_files(folder, told, lists)
    findings.sort(key=lambda one: not one.stops)
    for finding in findings:
        print(finding)
    stopping = sum(one.stops for one in findings)
    if not stopping:
        print('no problem found')
    usable = {key for key, one in told.items() if not one['problem']}
    if args.out and (args.force or not stopping):
        write_folder(args.out, folder, usable, lists)
        remove_others(osp.join(args.out, 'photos'),
                      (told[key]['file'] for key in usable))
        remove_others(osp.join(args.out, 'masks'),
                      (f'{key}.png' for key in usable if key in folder.masks))
        val = 'choose (val)' if folder.masks else 'check the tags (val)'
        print(', '.join(f'{len(usable & {*ids})} photos {what}' for ids, what in zip(
            lists.values(), ('train', val, 'score (test)'), strict=True) if ids))
    if args.out:
        write_json(osp.join(args.out, RECORD), dict(
            source=osp.abspath(args.images), found=folder.describe(),
            unused=folder.unused,
            counts={name: len(usable & {*ids}) for name, ids in lists.items()},
            checks=[dict(check=one.check, text=one.text, stops=one.stops)
                    for one in findings],
            photos=told))
        entries = [one.as_entry() for one in findings] or [
            dict(title='photos and tags', status='ok', text='no problem found')]
        if not folder.masks:
            entries.append(dict(title='photos and tags: masks', status='ok', text=(
                'no photo has a mask, so nothing is scored. Masks of some photos, '
                'drawn by hand into masks/, choose the threshold and score the model')))
        write_json(osp.join(args.out, CHECKS), entries)
    if stopping and not args.force:
        print(f'{stopping} problem{"s" * (stopping > 1)}: mend them, or go on all the '
              'same by --force', file=sys.stderr)
        return STOPPED_BY_CHECK
    return 0


if __name__ == '__main__':
    run_tool(parse_args, main)

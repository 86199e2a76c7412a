# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Write pseudo labels or predictions as annotations of another program.

    python tools/dataset_converters/export_masks.py \
        work_dirs/esol_folder_pipeline/pseudo_labels --images my_photos/photos \
        --classes my_photos/classes.txt --tags my_photos/tags.csv \
        --format label-studio --out to_correct

tools/dataset_converters/import_masks.py takes corrected ones back.
"""

if __name__ == '__main__':
    from mmwsss.ctrl_c import end_at_ctrl_c
    end_at_ctrl_c()

import argparse

from mmwsss.utils.arguments import ToolParser
from mmwsss.utils.entry_point import run_tool

FORMATS = ('coco', 'cvat', 'label-studio', 'voc', 'yolo')


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = ToolParser(__doc__)
    parser.add_argument('masks', help='folder of PNG masks: <id>.png')
    parser.add_argument(
        '--images', '--photos', required=True, help='folder of the photos')
    parser.add_classes(required=True)
    parser.add_argument(
        '--tags', help='CSV or JSON table of tags, for CVAT and Label Studio')
    parser.add_argument('--format', required=True, choices=FORMATS)
    parser.add_argument('--out', required=True, help='folder to write')
    parser.add_argument(
        '--polygons', action='store_true',
        help='outlines instead of pixels (YOLO has outlines in any case)')
    parser.add_argument(
        '--tolerance', type=float, default=1.,
        help='pixels by which outlines may leave out corners, 0 for exact ones '
        '(default: 1)')
    parser.add_argument(
        '--min-pixels', type=int, default=1,
        help='leave smaller regions out (default: 1)')
    parser.add_argument(
        '--copy-images', '--copy-photos', action='store_true',
        help='copy photos, too, where VOC and YOLO expect them')
    parser.add_argument(
        '--url', default='/data/local-files/?d=',
        help="what stands before a photo's file name in Label Studio's tasks "
        '(default: %(default)s)')
    return parser.parse_args()


def main(args: argparse.Namespace) -> None:
    """Write the annotations."""
    from mmwsss.apis import export_masks
    from mmwsss.datasets.class_names import class_names
    from mmwsss.structures import read_label_names
    count = export_masks(
        args.masks, args.images, class_names(args.classes), args.out, args.format,
        tags=read_label_names(args.tags) if args.tags else None,
        polygons=args.polygons, tolerance=args.tolerance, min_pixels=args.min_pixels,
        copy_images=args.copy_images, url=args.url)
    print(f'{count} photo(s) written to {args.out}')


if __name__ == '__main__':
    run_tool(parse_args, main)

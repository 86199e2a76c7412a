# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Take masks that were drawn or corrected in another program.

    python tools/dataset_converters/import_masks.py project-1.json \
        --format label-studio --classes my_photos/classes.txt \
        --base work_dirs/esol_folder_pipeline/pseudo_labels --out my_photos/corrected

With --base, photos that nobody corrected keep their pseudo label, and all train
together:

    python tools/train.py configs/deeplab/deeplabv2_folder.py --cfg-options \
        train_dataloader.dataset.data_prefix.seg_map_path=corrected
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
    parser.add_argument('source', help="the program's export: a file or a folder")
    parser.add_argument('--format', required=True, choices=FORMATS)
    parser.add_classes(required=True)
    parser.add_argument('--out', required=True, help='folder for <id>.png')
    parser.add_argument(
        '--images', '--photos', help='folder of the photos (YOLO needs it)')
    parser.add_argument('--base', help='folder of masks for all other photos')
    return parser.parse_args()


def main(args: argparse.Namespace) -> None:
    """Write the masks."""
    from mmwsss.apis import import_masks
    from mmwsss.datasets.class_names import class_names
    ids = import_masks(args.source, args.out, class_names(args.classes), args.format,
                       images=args.images, base=args.base)
    print(f'{len(ids)} mask(s) of {args.source} written to {args.out}'
          + (f', the others are those of {args.base}' if args.base else ''))


if __name__ == '__main__':
    run_tool(parse_args, main)

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Class activation maps of a trained classifier, without training.

    python tools/analysis_tools/cam.py photo.jpg --model resnet50
    python tools/analysis_tools/cam.py photos --model mobilenetv3_large_100 \
        --classes tabby 'Egyptian cat' --out-dir cams

    python tools/analysis_tools/cam.py photo.jpg --model clip --classes dog sand,beach

Any classifier of timm or mmpretrain, by its name, or CLIP for any words (projects/
clip_es). It writes <out-dir>/<photo>/<class>.jpg, the map over the photo, and says the
probabilities.
"""

if __name__ == '__main__':
    from mmwsss.ctrl_c import end_at_ctrl_c
    end_at_ctrl_c()

import argparse
import os.path as osp

from mmwsss.utils.arguments import ToolParser
from mmwsss.utils.entry_point import run_tool


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = ToolParser(__doc__)
    parser.add_argument('image', help='a photo, a folder or a quoted pattern')
    parser.add_argument(
        '--model', default='resnet50',
        help="name of a classifier in timm or mmpretrain, or 'clip', which finds any "
        'word (default: resnet50)')
    parser.add_argument(
        '--weights', help="file of its weights (default: the library's)")
    parser.add_argument(
        '--method', choices=['cam', 'gradcam', 'layercam'],
        help='default: cam where it is defined for the model, else gradcam')
    parser.add_argument('--layer', help='default: the last over the photo')
    parser.add_argument(
        '--classes', nargs='+', metavar='CLASS',
        help='names, or numbers from 0 (default: the most probable)')
    parser.add_argument(
        '--top', type=int, default=1, help='how many without --classes (default: 1)')
    parser.add_argument(
        '--size', type=int,
        help='short side of photos for the model (default: as it was tested)')
    parser.add_argument(
        '--out-dir', default='cams', help='where to write (default: cams)')
    parser.add_argument('--device', help='default: the accelerator, if any')
    args = parser.parse_args()
    if args.top < 1:
        parser.error('--top must be at least 1')
    if args.model.partition('/')[0] == 'clip' and not args.classes:
        parser.error('--model clip finds words: name them by --classes')
    return args


def main(args: argparse.Namespace) -> None:
    """Write the maps."""
    from mmwsss.apis import CAM
    from mmwsss.apis.images import find_images
    from mmwsss.apis.results import class_file_name
    find_images(args.image)  # before weights are loaded
    cam = CAM(
        args.model, args.method, args.layer, weights=args.weights,
        image_size=args.size, device=args.device)
    classes = args.classes and [
        int(name) if name.isdecimal() else name for name in args.classes]
    count = 0
    for result in cam.iterate(args.image, classes, args.top):
        count += 1
        for i, name in enumerate(result.classes):
            file = f'{class_file_name(name.split(", ")[0])}.jpg'
            result.save(osp.join(args.out_dir, result.name, file), i)
        found = '; '.join(f'{name} {score:.3f}' for name, score in
                          zip(result.classes, result.scores, strict=True))
        print(f'{result.name}: {found}')
    print(f'{count} photo(s), maps in {args.out_dir}')


if __name__ == '__main__':
    run_tool(parse_args, main)

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Class activation maps and masks of one's own photos.

    python demo/image_demo.py photo.jpg configs/cam/cam_r50_voc.py cam.pth \
        --out-dir results --tags cat dog
"""

if __name__ == '__main__':
    from mmwsss.ctrl_c import end_at_ctrl_c
    end_at_ctrl_c()

import argparse

from mmwsss.utils.arguments import ToolParser
from mmwsss.utils.entry_point import run_tool


def parse_args() -> argparse.Namespace:
    parser = ToolParser(
        description='Run a model on photos; write masks, overlays and, of a '
        'model trained from image labels, class maps and scores')
    parser.add_argument('image', help='a photo, a folder or a quoted pattern')
    parser.add_argument('config', help='config file, or its name in configs/')
    parser.add_argument('checkpoint', help='checkpoint file of that model')
    parser.add_argument(
        '--out-dir', default='results', help='where to write (default: results)')
    parser.add_argument(
        '--tags', nargs='+', metavar='CLASS',
        help='the classes present in every photo; default: those that the '
        'model finds')
    parser.add_argument(
        '--tta', action='store_true',
        help='several scales and flips, as the config says')
    parser.add_argument('--device', help='default: the accelerator, if any')
    parser.add_argument(
        '--score-thr', '--score-threshold', type=float,
        help='without tags, show classes more probable than this')
    parser.add_argument(
        '--bg-thr', '--cam-threshold', type=float,
        help='background score that class maps compete with in the mask')
    parser.add_argument(
        '--max-long', type=int, default=1024,
        help='reduce larger photos to this long side for the model, 0 for '
        'never (default: 1024)')
    parser.add_cfg_options()
    return parser.parse_args()


def main(args: argparse.Namespace) -> None:
    from mmwsss.apis import WSSSInferencer
    inferencer = WSSSInferencer(
        args.config,
        args.checkpoint,
        device=args.device,
        tta=args.tta,
        score_thr=args.score_thr,
        bg_thr=args.bg_thr,
        max_long=args.max_long or None,
        cfg_options=args.cfg_options)
    lines = []
    for result in inferencer.iterate(args.image, args.tags, args.out_dir):
        shown = result['cams'] or {}
        found = ', '.join(f'{name} {result["scores"][name]:.2f}' for name in shown)
        lines.append(f'{result["name"]}: {found}' if found else result['name'])
    print('\n'.join(lines))
    print(f'{len(lines)} photo(s), results in {args.out_dir}')


if __name__ == '__main__':
    run_tool(parse_args, main)

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Plot where the offset convolutions of ESOL look.

Over images, as heat maps of the offsets' lengths and as arrows:

    python tools/analysis_tools/plot_offsets.py maps configs/esol/esol_r50_voc.py \
        work_dirs/esol_r50_voc/stage_expand.pth image.jpg --out-dir offsets

Over a training, resumed or not, from what OffsetMonitorHook logged:

    python tools/analysis_tools/plot_offsets.py curves \
        work_dirs/esol_r50_voc --out offsets.png
"""

if __name__ == '__main__':
    from mmwsss.ctrl_c import end_at_ctrl_c
    end_at_ctrl_c()

import argparse
import os.path as osp

import numpy as np
from PIL import Image

from mmwsss.recipes import read_scalars
from mmwsss.utils import atomic_write
from mmwsss.utils.arguments import ToolParser
from mmwsss.utils.entry_point import run_tool


def parse_args() -> argparse.Namespace:
    parser = ToolParser(
        description='Plot the offsets of offset convolutions')
    commands = parser.add_subparsers(dest='command', required=True)
    maps = commands.add_parser('maps', help='draw the offsets over images')
    maps.add_argument('config', help='config file, or its name in configs/')
    maps.add_argument('checkpoint', help='checkpoint of stage expand or shrink')
    maps.add_argument('images', nargs='+', help='images, folders or patterns')
    maps.add_argument(
        '--out-dir', default='offsets', help='where to write (default: offsets)')
    maps.add_argument(
        '--max', type=float, metavar='PIXELS',
        help='length drawn in full red, in pixels of the feature grid '
        '(default: the largest of each image)')
    maps.add_argument(
        '--gain', type=float, default=1.,
        help='factor on the length of the arrows (default: 1)')
    maps.add_argument('--device', help='default: the accelerator, if any')
    maps.add_cfg_options()
    curves = commands.add_parser(
        'curves', help='plot the offset statistics of a run')
    curves.add_argument('work_dir', help='folder of the training')
    curves.add_argument(
        '--out', default='offsets.png', help='PNG to write (default: offsets.png)')
    return parser.parse_args()


def draw_maps(args: argparse.Namespace) -> None:
    """Write one picture for each image and each layer that samples: the image,
    the lengths of the offsets and the offsets as arrows."""
    from rich.progress import track

    from mmwsss.apis import WSSSInferencer
    from mmwsss.apis.images import find_images
    from mmwsss.datasets.image_io import read_image
    from mmwsss.models.layers import OffsetConv2d
    from mmwsss.visualization import (
        draw_offset_arrows,
        draw_offset_magnitude,
        offset_magnitude,
    )
    inferencer = WSSSInferencer(
        args.config, args.checkpoint, device=args.device,
        cfg_options=args.cfg_options)
    images = find_images(args.images)
    for name, path in track(images, 'Drawing', disable=len(images) == 1):
        inferencer(path)
        image = read_image(path)
        layers = {
            layer.removeprefix('decode_head.'): module.last_offset[0]
            for layer, module in inferencer.model.named_modules()
            if isinstance(module, OffsetConv2d) and module.last_offset is not None
        }
        if not layers:
            stage = getattr(inferencer.model, 'stage', None)
            raise ValueError(f'{args.checkpoint} (stage {stage}) samples at no '
                             'offsets: give a checkpoint of stage expand or shrink')
        for layer, offset in layers.items():
            drawn = np.concatenate([
                image,
                draw_offset_magnitude(image, offset, args.max),
                draw_offset_arrows(image, offset, gain=args.gain)
            ], axis=1)
            out = osp.join(args.out_dir, f'{name}_{layer}.png')
            with atomic_write(out) as file:
                Image.fromarray(drawn).save(file, 'PNG')
            lengths = offset_magnitude(offset)
            print(f'{out}: |offset| mean {lengths.mean():.3f}, '
                  f'max of means {lengths.max():.3f} feature pixels')


def draw_curves(args: argparse.Namespace) -> None:
    """Plot the scalars of all runs of a training."""
    from mmwsss.visualization import plot_offset_curves
    lines = read_scalars(args.work_dir).training
    if not lines:
        raise FileNotFoundError(
            f'{args.work_dir} holds no <time>/vis_data/scalars.json of a training')
    plot_offset_curves(lines, args.out)
    print(args.out)


def main(args: argparse.Namespace) -> None:
    {'maps': draw_maps, 'curves': draw_curves}[args.command](args)


if __name__ == '__main__':
    run_tool(parse_args, main)

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Label any number of photos in one pass: tags in, masks out, nothing in between.

One machine:  python tools/label_photos.py CONFIG CHECKPOINT --input photos \\
                  --tags tags.csv --output labels --workers 8
A bucket:     ... --input s3://bucket/shards --output s3://bucket/labels
A cluster:    RAY_ADDRESS=auto ... --engine ray --workers 64
IRN's walk:   ... --walk configs/irn/irn_r50_voc.py irn.pth

The input is a folder of photos, a text file that lists them (paths or URLs), or
shards, Parquet or the tars of WebDataset, alone or in a folder; whatever fsspec
reaches. The output is shards or PNGs, written part by part: a killed run goes on
with the parts that are missing. Photos that fail are listed in errors.parquet.
docs/en/scale.md tells which engine belongs where.
"""

if __name__ == '__main__':
    from mmwsss.ctrl_c import end_at_ctrl_c
    end_at_ctrl_c()

import argparse
import os.path as osp

from mmwsss.utils import read_config
from mmwsss.utils.arguments import ToolParser, add_label_options, label_rule_config
from mmwsss.utils.entry_point import run_tool


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = ToolParser(__doc__)
    parser.add_argument('config', help='config file of the model')
    parser.add_argument('checkpoint', help='checkpoint of the model')
    parser.add_argument(
        '--input', required=True, help='photos: folder, list (.txt) or shards')
    parser.add_argument(
        '--tags', help='table of tags, JSON or CSV (default: those in the shards)')
    parser.add_argument('--output', required=True, help='folder or URL for masks')
    parser.add_argument(
        '--format', choices=['parquet', 'webdataset', 'png'], default='parquet',
        help='of the output (default: parquet)')
    parser.add_argument(
        '--with-images', '--with-photos', action='store_true',
        help='write the photos into the shards')
    parser.add_argument(
        '--images-per-shard', '--photos-per-shard', type=int, default=500,
        help='what is lost at most by a kill, for each worker (default: 500)')
    parser.add_argument(
        '--engine', choices=['plain', 'ray'], default='plain',
        help='this machine, or Ray: here or the cluster of RAY_ADDRESS')
    parser.add_argument(
        '--workers', type=int, default=0,
        help='processes, or actors of Ray (default: 0, in this process)')
    parser.add_argument(
        '--gpus', type=float,
        help='of each actor of Ray (default: 1, if there are any)')
    parser.add_argument('--device', help='such as cpu or cuda (default: what is there)')
    parser.add_argument(
        '--max-errors', type=int, default=1000,
        help='end if more photos than this fail (default: 1000)')
    parser.add_argument(
        '--walk', nargs=2, metavar=('CONFIG', 'CHECKPOINT'),
        help='let the seeds walk, guided by this network (IRN, PSA)')
    add_label_options(parser)
    parser.add_cfg_options()
    args = parser.parse_args()
    if args.walk is None and args.refiner is None:
        parser.error('give --refiner (perhaps "none") or --walk')
    if args.walk is not None and args.refiner is None and args.alpha is not None:
        parser.error('--alpha needs --refiner')
    if args.images_per_shard < 1 or args.workers < 0 or args.max_errors < 0:
        parser.error('--images-per-shard must be at least 1, --workers and '
                     '--max-errors 0')
    for path in (args.checkpoint, *(args.walk or ())[1:]):
        if not osp.isfile(path):
            parser.error(f'there is no checkpoint {path}')
    return args


def main(args: argparse.Namespace) -> None:
    """Label images."""
    from mmwsss.apis import label_photos
    from mmwsss.apis.labelling import read_trained_config
    cfg = read_trained_config(args.config, args.checkpoint, args.cfg_options)
    walk = None
    if args.walk is not None:
        guides = read_config(args.walk[0])
        if args.bg_thr is not None and args.refiner is None and 'walk' in guides:
            guides.walk.bg_thr = args.bg_thr
        walk = guides, args.walk[1]
    rule = None if args.refiner is None else label_rule_config(args, cfg)
    summary = label_photos(
        cfg, args.checkpoint, args.input, args.output, args.tags, rule, walk,
        format=args.format, with_images=args.with_images,
        images_per_shard=args.images_per_shard, engine=args.engine,
        workers=args.workers, gpus=args.gpus, device=args.device,
        max_errors=args.max_errors)
    for check in summary['checks']:
        print(check)
    print(f'{summary["labelled"]} photos are labelled, {summary["errors"]} could not '
          f'be, in {summary["seconds"]:.0f} s: {args.output}')


if __name__ == '__main__':
    run_tool(parse_args, main)

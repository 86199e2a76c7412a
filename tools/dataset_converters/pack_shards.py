# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Pack the photos of a data set into shards, with their tags and perhaps masks.

    python tools/dataset_converters/pack_shards.py \\
        configs/cam/cam_mobilenetv1_folder.py --out data/shards/photos
    ... configs/deeplab/deeplabv2_folder.py --with-masks --loader val_dataloader \\
        --out data/shards/val

The config names the data: what its data loader reads is packed, and WeakShardDataset
reads it again. A killed run goes on with the shards that are missing.
"""

if __name__ == '__main__':
    from mmwsss.ctrl_c import end_at_ctrl_c
    end_at_ctrl_c()

import argparse
import os.path as osp

from mmwsss.utils import read_config
from mmwsss.utils.arguments import ToolParser
from mmwsss.utils.entry_point import run_tool


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = ToolParser(__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('--out', required=True, help='folder to write')
    parser.add_argument(
        '--loader', default='train_dataloader',
        help='whose photos (default: train_dataloader)')
    parser.add_argument(
        '--format', choices=['parquet', 'webdataset'], default='parquet',
        help='of the shards (default: parquet)')
    parser.add_argument(
        '--images-per-shard', '--photos-per-shard', type=int, default=1000,
        help='(default: 1000)')
    parser.add_argument(
        '--with-masks', action='store_true', help='pack the masks, too')
    parser.add_renew()
    parser.add_cfg_options()
    args = parser.parse_args()
    if args.images_per_shard < 1:
        parser.error('--images-per-shard must be at least 1, got '
                     f'{args.images_per_shard}')
    if '://' in args.out:
        parser.error(f'--out is a folder of this machine, got {args.out}: copy the '
                     'shards to a bucket afterwards')
    return args


def main(args: argparse.Namespace) -> None:
    """Write the shards."""
    import mmengine.fileio as fileio

    from mmwsss.datasets.image_ids import image_dataset, image_infos
    from mmwsss.evaluation.writers.origin import check_origin, finish_origin
    from mmwsss.shards import ShardMeta, ShardRow, write_shard
    from mmwsss.shards.collection import FORMATS
    from mmwsss.utils.digest import digest_value
    cfg = read_config(args.config, args.cfg_options)
    if args.loader not in cfg:
        raise ValueError(f'{args.config} has no {args.loader}')
    dataset = image_dataset(cfg, cfg[args.loader].dataset)
    classes = list(dataset.metainfo['classes'])
    infos = image_infos(dataset)

    def row(info: dict) -> ShardRow:
        labels = info.get('tags')
        tags = None if labels is None else [
            name for name, present in zip(classes[1:], labels[1:], strict=True)
            if present]
        mask = info.get('seg_map_path') if args.with_masks else None
        return ShardRow(
            info['img_id'], fileio.get(info['img_path']), tags=tags,
            mask=mask and fileio.get(mask))

    suffix = FORMATS[args.format]
    listed = [[info['img_id'], *map(int, info.get('tags', ()))]
              for info in infos]
    check_origin(args.out, dict(
        photos=digest_value(listed), photos_per_shard=args.images_per_shard,
        with_masks=args.with_masks), suffix, args.renew)
    for number, first in enumerate(range(0, len(infos), args.images_per_shard)):
        path = osp.join(args.out, f'{number:06d}{suffix}')
        if not osp.exists(path):
            part = infos[first:first + args.images_per_shard]
            write_shard(path, map(row, part), ShardMeta(classes))
    finish_origin(args.out)
    print(f'{len(infos)} photo(s) in {number + 1} shard(s) in {args.out}')


if __name__ == '__main__':
    run_tool(parse_args, main)

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Draw pseudo labels of some photos at other settings, in seconds.

    python tools/preview_labels.py CONFIG --seeds DIR --out preview.png \\
        --bg-thr 0.3 --refiner irn_label

The images are those of the config's seed_dataloader; nothing is trained.
"""

from __future__ import annotations

if __name__ == '__main__':
    from mmwsss.ctrl_c import end_at_ctrl_c
    end_at_ctrl_c()

import argparse
import os.path as osp
import tempfile

from mmwsss.utils import read_config
from mmwsss.utils.arguments import ToolParser, add_label_options, label_rule_config
from mmwsss.utils.entry_point import run_tool
from mmwsss.utils.spread import spread_evenly


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = ToolParser(__doc__)
    parser.add_argument('config', help='config with the images')
    parser.add_argument('--seeds', required=True, help='folder of <id>.npz')
    parser.add_argument('--out', required=True, help='PNG to write')
    parser.add_argument('--num-images', type=int, default=8, help='default: 8')
    add_label_options(parser, required=True)
    parser.add_cfg_options()
    args = parser.parse_args()
    if not osp.isdir(args.seeds):
        parser.error(f'there is no folder {args.seeds}')
    if args.num_images < 1:
        parser.error(f'--num-images must be at least 1, got {args.num_images}')
    if args.bg_thr is None:
        parser.error('--bg-thr is what a preview is for')
    return args


def main(args: argparse.Namespace) -> None:
    """Draw."""
    from mmwsss.datasets.image_ids import image_dataset, image_infos
    from mmwsss.engine import image_loader
    from mmwsss.evaluation.metrics.prediction_files import (
        prediction_file,
        scoring_dataset,
    )
    from mmwsss.evaluation.writers.pseudo_label_writer import pseudo_label_setup
    from mmwsss.visualization.contact_sheet import save_contact_sheet
    from mmwsss.visualization.report_rows import collect_images
    cfg = read_config(args.config, args.cfg_options)
    rule = label_rule_config(args, cfg)
    dataset = image_dataset(
        cfg, scoring_dataset(image_loader(cfg).dataset, cfg))
    infos = [info for info in image_infos(dataset)
             if osp.isfile(prediction_file(args.seeds, info, True))]
    if not infos:
        raise FileNotFoundError(f'{args.seeds} holds no seed of any image')
    infos = spread_evenly(infos, args.num_images)
    refine = pseudo_label_setup(rule, list(dataset.metainfo['palette']))
    with tempfile.TemporaryDirectory() as labels:
        for info in infos:
            refine((prediction_file(args.seeds, info, True), info['img_path'],
                    prediction_file(labels, info, False)))
        section = collect_images(
            dataset, f'Threshold {args.bg_thr:g}, refiner {args.refiner}',
            [dict(title='Seed', seeds=args.seeds, bg_thr=args.bg_thr),
             dict(title='Pseudo label', masks=labels)],
            [info['img_id'] for info in infos])
    save_contact_sheet(args.out, [section])
    print(f'{len(infos)} photos in {args.out}')


if __name__ == '__main__':
    run_tool(parse_args, main)

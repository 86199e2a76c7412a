# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Check pseudo labels before a model is trained on them.

    python tools/check_labels.py CONFIG --labels DIR --out DIR \\
        --seeds DIR --bg-thr 0.3 --training DIR

The images and tags are those of the config's seed_dataloader. Looks at the share of
background, at classes that vanished or flooded their photos, at labels against the
seeds that they were made of, and at the tag mAP of the training against chance. No
mask is read. Writes checks.json and, of what failed, photos.png. A failed check ends
with exit status 3, unless --force.
"""

from __future__ import annotations

if __name__ == '__main__':
    from mmwsss.ctrl_c import end_at_ctrl_c
    end_at_ctrl_c()

import argparse
import os.path as osp
from typing import TYPE_CHECKING

import numpy as np

from mmwsss.utils import read_config, write_json
from mmwsss.utils.arguments import ToolParser, bg_thr_value
from mmwsss.utils.entry_point import STOPPED_BY_CHECK, run_tool
from mmwsss.utils.spread import MOST_IMAGES, spread_evenly

if TYPE_CHECKING:
    from mmengine.config import Config

    from mmwsss.evaluation.label_checks import Check

SHOWN = 8


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = ToolParser(__doc__)
    parser.add_argument('config', help='config with the images')
    parser.add_argument('--labels', required=True, help='folder of <id>.png')
    parser.add_argument('--seeds', help='folder of <id>.npz that they were made of')
    parser.add_argument('--bg-thr', type=bg_thr_value, help='threshold of the seeds')
    parser.add_argument('--training', help='work folder of the training of the seeds')
    parser.add_argument('--of', default='', metavar='NAME',
                        help='what a report calls the labels (default: nothing)')
    parser.add_argument('--out', required=True, help='folder for the outcome')
    parser.add_argument('--force', action='store_true',
                        help='end with status 0 all the same')
    parser.add_cfg_options()
    args = parser.parse_args()
    if args.seeds and args.bg_thr is None:
        parser.error('--seeds needs --bg-thr')
    for folder in filter(None, (args.labels, args.seeds, args.training)):
        if not osp.isdir(folder):
            parser.error(f'there is no folder {folder}')
    return args


def check_labels(args: argparse.Namespace, dataset) -> list[Check]:
    """All checks of labels against tags and seeds."""
    from mmwsss.datasets.image_ids import image_infos
    from mmwsss.datasets.image_io import read_mask
    from mmwsss.evaluation.label_checks import LabelStatistics
    from mmwsss.evaluation.metrics.prediction_files import prediction_file
    from mmwsss.structures import Seed
    statistics = LabelStatistics(dataset.metainfo['classes'])
    for info in spread_evenly(image_infos(dataset), MOST_IMAGES['check']):
        mask = read_mask(prediction_file(args.labels, info, False))
        seed_mask = None
        if args.seeds:
            seed = Seed.load(prediction_file(args.seeds, info, True))
            seed_mask = seed.to_mask(args.bg_thr).numpy()
        statistics.add(info['img_id'], mask, info['tags'], seed_mask)
    return statistics.check()


def check_training(folder: str, cfg: Config) -> list[Check]:
    """The tag mAP of a training's last validation against chance."""
    from mmwsss.datasets.image_ids import image_dataset
    from mmwsss.evaluation.label_checks import check_tag_map
    from mmwsss.recipes import read_scalars
    validations = read_scalars(folder).validation
    tag_map = validations[-1].get('seed/tag_mAP') if validations else None
    if tag_map is None:
        return []
    dataset = image_dataset(cfg, cfg.val_dataloader.dataset)
    tags = [dataset.get_data_info(i)['tags'] for i in range(len(dataset))]
    lists = [cfg[name].dataset.get('ann_file') for name in (
        'train_dataloader', 'val_dataloader')]
    return [check_tag_map(tag_map, np.stack(tags), learnt=lists[0] == lists[1])]


def draw(args: argparse.Namespace, dataset, shown: list[Check]) -> str:
    """A picture of images that show why checks failed or warn; '' if none do."""
    from mmwsss.visualization.contact_sheet import save_contact_sheet
    from mmwsss.visualization.report_rows import collect_images
    columns: list[dict] = [dict(title='Pseudo label', masks=args.labels)]
    if args.seeds:
        columns.insert(0, dict(title='Seed', seeds=args.seeds, bg_thr=args.bg_thr))
    sections = [
        collect_images(dataset, check.name, columns, check.images[:SHOWN])
        for check in shown]
    if not sections:
        return ''
    path = osp.join(args.out, 'photos.png')
    save_contact_sheet(path, sections)
    return path


def main(args: argparse.Namespace) -> int:
    """Check."""
    from mmwsss.datasets.image_ids import image_dataset
    from mmwsss.engine import image_loader
    cfg = read_config(args.config, args.cfg_options)
    dataset = image_dataset(cfg, image_loader(cfg).dataset)
    checks = check_labels(args, dataset)
    if args.training:
        checks += check_training(args.training, cfg)
    for check in checks:
        print(check)
    failed = [check for check in checks if not check.passed]
    warned = [check for check in checks if check.passed and check.warning]
    shown = [check for check in failed + warned if check.images]
    picture = draw(args, dataset, shown)
    if picture:
        print(f'photos that show it: {picture}')
    # As a report takes them.
    write_json(osp.join(args.out, 'checks.json'), [
        check.as_entry([picture] if check in shown[:1] and picture else [], args.of)
        for check in checks])
    write_json(osp.join(args.out, 'metrics.json'),
               {f'check/{check.name}': check.value for check in checks})
    return STOPPED_BY_CHECK if failed and not args.force else 0


if __name__ == '__main__':
    run_tool(parse_args, main)

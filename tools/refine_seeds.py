# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Turn seed files into pseudo labels, in several processes.

Dense CRF on the thresholded seed:
    python tools/refine_seeds.py CONFIG --seeds DIR --out DIR \\
        --refiner irn_label --bg-thr 0.2
IRN's labels with undecided pixels:
    ... --refiner irn_two_threshold --conf-fg 0.30 --conf-bg 0.05

The images are those of the config's seed_dataloader (else test_dataloader).
The pseudo labels are 8-bit palette PNGs at image size. What is already
written is skipped, so a killed run goes on.
"""

if __name__ == '__main__':
    from mmwsss.ctrl_c import end_at_ctrl_c
    end_at_ctrl_c()

import argparse
import os
import os.path as osp

from mmwsss.utils import read_config
from mmwsss.utils.arguments import ToolParser, add_label_options, label_rule_config
from mmwsss.utils.digest import digest_value
from mmwsss.utils.entry_point import run_tool
from mmwsss.utils.parallel import WorkerPool, track_progress


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = ToolParser(__doc__)
    parser.add_argument('config', help='config file with the images')
    parser.add_argument('--seeds', required=True, help='folder of <id>.npz')
    parser.add_argument('--out', required=True, help='folder for <id>.png')
    add_label_options(parser, required=True)
    parser.add_argument(
        '--jobs', type=int, default=os.cpu_count(),
        help='worker processes; 0 works in this one (default: all cores)')
    parser.add_renew()
    parser.add_cfg_options()
    args = parser.parse_args()
    if not osp.isdir(args.seeds):
        parser.error(f'there is no folder {args.seeds}')
    return args


def find_tasks(dataset, seeds: str, out: str) -> list[tuple]:
    """Seed, image, output and saliency of every image that is not done."""
    from mmwsss.datasets.image_ids import image_infos
    tasks, missing = [], []
    for info in image_infos(dataset):
        name = info['img_id']
        seed = osp.join(seeds, f'{name}.npz')
        path = osp.join(out, f'{name}.png')
        if osp.exists(path):
            continue
        if not osp.exists(seed):
            missing.append(seed)
        tasks.append(
            (seed, info['img_path'], path, info.get('saliency_path')))
    if missing:
        raise FileNotFoundError(
            f'{len(missing)} of {len(dataset)} images have no seed, first '
            f'{missing[0]}')
    return tasks


def main(args: argparse.Namespace) -> None:
    """Refine seeds."""
    from mmwsss.datasets.image_ids import image_dataset
    from mmwsss.engine import image_loader
    from mmwsss.evaluation.writers.base_writer import dataset_palette
    from mmwsss.evaluation.writers.origin import (
        check_origin,
        describe_crf,
        finish_origin,
        read_origin,
        write_method,
    )
    from mmwsss.evaluation.writers.pseudo_label_writer import pseudo_label_setup
    cfg = read_config(args.config, args.cfg_options)
    loader = image_loader(cfg)
    rule = label_rule_config(args, cfg)
    check_origin(
        args.out,
        dict(
            rule=digest_value(rule),
            seeds=digest_value(read_origin(args.seeds))), '.png', args.renew)
    dataset = image_dataset(cfg, loader.dataset)
    tasks = find_tasks(dataset, args.seeds, args.out)
    print(f'{len(dataset) - len(tasks)} of {len(dataset)} images are done, '
          f'{len(tasks)} to go by {rule}')
    if not tasks:
        # A kill may have come between the last file and this.
        finish_origin(args.out)
        return
    write_method(args.out, describe_crf(rule))
    imports = cfg.get('custom_imports', {}).get('imports', [])
    jobs = min(args.jobs, len(tasks))
    with WorkerPool(jobs, pseudo_label_setup, rule,
                    dataset_palette(dataset.metainfo), imports) as pool:
        for _ in track_progress(pool.map(tasks), len(tasks)):
            pass
    finish_origin(args.out)


if __name__ == '__main__':
    run_tool(parse_args, main)

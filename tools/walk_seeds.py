# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Let seeds walk, guided by a boundary or affinity network (IRN, PSA).

Pseudo labels:  python tools/walk_seeds.py CONFIG CHECKPOINT --seeds DIR \\
                    --out DIR
Seeds to score: ... --seeds-out DIR (then evaluate_seeds.py finds the threshold)
Instances:      ... --instances DIR (COCO results with RLE masks)
Several GPUs:   torchrun --nproc_per_node 4 tools/walk_seeds.py ...
                --launcher pytorch

The images are those of the config's seed_dataloader (else test_dataloader), the
views those of its pipeline or of tta_pipeline. The config's walk says how seeds
walk and become labels, its walk_tta_model how views become guides. Pseudo labels
are 8-bit palette PNGs at image size. What is already written is skipped, so a
killed run goes on.

Instances of a COCO dataset have COCO's image and category ids, as its evaluation
expects; those of other datasets the image's name and the class index, from 1.
"""

from __future__ import annotations

if __name__ == '__main__':
    from mmwsss.ctrl_c import end_at_ctrl_c
    end_at_ctrl_c()

import argparse
import os.path as osp
from typing import TYPE_CHECKING

from mmwsss.utils import read_config
from mmwsss.utils.arguments import ToolParser, bg_thr_value
from mmwsss.utils.digest import digest_value
from mmwsss.utils.entry_point import run_tool

if TYPE_CHECKING:
    from mmengine.config import Config


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = ToolParser(__doc__)
    parser.add_argument('config', help='config file of the guiding network')
    parser.add_argument('checkpoint', help='its checkpoint')
    parser.add_argument('--seeds', required=True, help='folder of <id>.npz')
    parser.add_argument('--out', help='folder for pseudo labels, <id>.png')
    parser.add_argument(
        '--seeds-out', help='folder for seeds after the walk, <id>.npz')
    parser.add_argument(
        '--instances', help='folder for instances, <id>.json and instances.json')
    parser.add_argument(
        '--bg-thr', '--threshold', type=bg_thr_value,
        help='constant background score, or a metrics file of evaluate_seeds.py '
        "with the best one (default: the config's)")
    parser.add_argument(
        '--work-dir', help='folder for logs (default: .log in the output)')
    parser.add_renew()
    parser.add_cfg_options()
    parser.add_launcher()
    args = parser.parse_args()
    if not (args.out or args.instances):
        parser.error('give --out or --instances')
    if args.seeds_out and not args.out:
        parser.error('--seeds-out needs --out')
    if not osp.isdir(args.seeds):
        parser.error(f'there is no folder {args.seeds}')
    if not osp.isfile(args.checkpoint):
        parser.error(f'there is no checkpoint {args.checkpoint}')
    return args


def load_config(args: argparse.Namespace) -> Config:
    """Turn the config into one of a test run that makes guides."""
    from mmwsss.engine import augmented_loader, make_test_run
    cfg = read_config(args.config, args.cfg_options)
    if 'walk' not in cfg:
        raise ValueError(f'{args.config} has no walk')
    tta_model = dict(cfg.get('walk_tta_model') or dict(type='WalkTTAModel'))
    if args.instances:
        tta_model['displacement'] = True
    make_test_run(cfg, tta_model, augmented_loader(cfg), args.checkpoint)
    cfg.test_evaluator = []
    cfg.work_dir = args.work_dir or osp.join(args.out or args.instances, '.log')
    return cfg


def add_outputs(cfg: Config, args: argparse.Namespace) -> list[tuple]:
    """Add writers; return (folder, suffix, origin) of each kind of file."""
    from mmengine.config import ConfigDict

    from mmwsss.apis.file_run import run_origin
    from mmwsss.evaluation.writers.origin import read_origin
    walk = ConfigDict(cfg.walk).to_dict()
    if args.bg_thr is not None:
        walk['bg_thr'] = args.bg_thr
    origin = dict(
        run_origin(cfg, args.checkpoint),
        seeds=digest_value(read_origin(args.seeds)),
        walk=digest_value(walk))
    outputs = []
    if args.out:
        cfg.test_evaluator.append(
            dict(type='WalkWriter', out_dir=args.out, walk=walk,
                 seeds=args.seeds, seeds_out=args.seeds_out))
        outputs.append((args.out, '.png', origin))
    if args.seeds_out:
        outputs.append((args.seeds_out, '.npz', origin))
    if args.instances:
        walk = dict(walk, type='WalkInstances')
        cfg.test_evaluator.append(
            dict(type='InstanceWriter', out_dir=args.instances, walk=walk,
                 seeds=args.seeds))
        outputs.append((args.instances, '.json', origin))
    return outputs


def main(args: argparse.Namespace) -> None:
    """Let seeds walk."""
    from mmengine.dist import init_dist, is_distributed, is_main_process

    from mmwsss.apis.file_run import check_origins, images_to_do
    from mmwsss.engine import build_runner, setup_entry_point
    from mmwsss.evaluation.writers.walk_writer import join_instances
    cfg = load_config(args)
    setup_entry_point(cfg, args.launcher)
    if args.launcher != 'none' and not is_distributed():
        init_dist(args.launcher, **cfg.env_cfg.get('dist_cfg', {}))
    outputs = add_outputs(cfg, args)
    check_origins(outputs, args.renew)
    dataset = images_to_do(cfg, outputs)
    if dataset is None:
        # A kill may have come between the last file and this.
        if args.instances and is_main_process():
            join_instances(args.instances)
        return
    build_runner(cfg, dataset).test()


if __name__ == '__main__':
    run_tool(parse_args, main)

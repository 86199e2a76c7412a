# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Make seeds of all images: multi-scale and flip inference, as IRN does it.

Seed files:     python tools/generate_seeds.py CONFIG CHECKPOINT --out DIR
Pseudo labels:  ... --labels-out DIR --refiner irn_label (no seed files needed)
Scores:         ... --score FILE.json (the images need masks)
Several GPUs:   torchrun --nproc_per_node 4 tools/generate_seeds.py ...
                --launcher pytorch

The images are those of the config's seed_dataloader (else test_dataloader),
the augmentations those of its pipeline or of tta_pipeline. What is already
written is skipped, so a killed run goes on.
"""

from __future__ import annotations

if __name__ == '__main__':
    from mmwsss.ctrl_c import end_at_ctrl_c
    end_at_ctrl_c()

import argparse
import os.path as osp
from typing import TYPE_CHECKING

from mmwsss.utils import read_config, write_json
from mmwsss.utils.arguments import ToolParser, add_label_options, label_rule_config
from mmwsss.utils.digest import digest_value
from mmwsss.utils.entry_point import run_tool

if TYPE_CHECKING:
    from mmengine.config import Config


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = ToolParser(__doc__)
    parser.add_argument('config', help='config file of the model')
    parser.add_argument('checkpoint', help='checkpoint of the model')
    parser.add_argument('--out', help='folder for seeds, <id>.npz')
    parser.add_argument(
        '--full-size', action='store_true',
        help='store seeds at image size instead of stride 4 (16 times larger)')
    parser.add_argument(
        '--labels-out', help='folder for pseudo labels, <id>.png')
    add_label_options(parser)
    parser.add_argument(
        '--jobs', type=int, default=0,
        help='worker processes that refine, for each process that infers '
        '(default: 0, refine in between)')
    parser.add_argument(
        '--amp', choices=['bf16', 'fp16'],
        help='compute the backbone in half precision, where the device has it')
    parser.add_argument(
        '--score', help='JSON file for the scores of the full-size seeds')
    parser.add_argument(
        '--work-dir', help='folder for logs (default: .log in the output)')
    parser.add_renew()
    parser.add_cfg_options()
    parser.add_launcher()
    args = parser.parse_args()
    if not (args.out or args.labels_out or args.score):
        parser.error('give --out, --labels-out or --score')
    if args.out and args.out == args.labels_out:
        parser.error('--out and --labels-out must be two folders')
    if args.labels_out and not args.refiner:
        parser.error('--labels-out needs --refiner (perhaps "none")')
    if not osp.isfile(args.checkpoint):
        parser.error(f'there is no checkpoint {args.checkpoint}')
    if args.amp:
        from mmengine.device import get_device

        from mmwsss.engine import check_amp
        try:
            check_amp(args.amp, get_device())
        except ValueError as error:
            parser.error(f'--amp {args.amp}: {error}')
    return args


def load_config(args: argparse.Namespace) -> Config:
    """Turn the config into one of a test run that makes seeds."""
    from mmengine.registry import init_default_scope

    from mmwsss.engine import augmented_loader, make_test_run
    from mmwsss.evaluation.metrics.confusion_metric import seed_metric_settings
    from mmwsss.evaluation.metrics.prediction_files import scoring_dataset
    cfg = read_config(args.config, args.cfg_options)
    loader = augmented_loader(cfg)
    if args.score:
        init_default_scope(cfg.get('default_scope', 'mmseg'))
        loader['dataset'] = scoring_dataset(loader['dataset'], cfg)
    # Of the images that seeds are made of, some may lack a mask.
    metric = dict(seed_metric_settings(cfg), on_missing_mask='skip')
    tta_model = cfg.get('tta_model') or dict(type='CAMTTAModel')
    make_test_run(cfg, tta_model, loader, args.checkpoint, args.amp)
    cfg.test_evaluator = [metric] if args.score else []
    first = args.out or args.labels_out or osp.dirname(
        osp.abspath(args.score))
    cfg.work_dir = args.work_dir or osp.join(first, '.log')
    return cfg


def add_outputs(cfg: Config, args: argparse.Namespace) -> list[tuple]:
    """Add writers and metrics; return (folder, suffix, origin) of each."""
    from mmwsss.apis.file_run import run_origin
    outputs = []
    origin: dict = run_origin(cfg, args.checkpoint)
    amp = cfg.default_hooks.get('fast_inference', {}).get('amp')
    if amp:
        origin['amp'] = amp
    if args.out:
        cfg.test_evaluator.append(
            dict(type='SeedWriter', out_dir=args.out,
                 full_size=args.full_size))
        outputs.append(
            (args.out, '.npz', dict(origin, full_size=args.full_size)))
    if args.labels_out:
        rule = label_rule_config(args, cfg)
        imports = cfg.get('custom_imports', {}).get('imports', [])
        cfg.test_evaluator.append(
            dict(type='PseudoLabelWriter', out_dir=args.labels_out,
                 label_rule=rule, jobs=args.jobs, imports=imports))
        outputs.append(
            (args.labels_out, '.png', dict(origin, rule=digest_value(rule))))
    return outputs


def main(args: argparse.Namespace) -> None:
    """Make seeds."""
    from mmengine.device import get_device
    from mmengine.dist import init_dist, is_distributed, is_main_process

    from mmwsss.apis.file_run import check_origins, images_to_do
    from mmwsss.engine import build_runner, setup_entry_point
    from mmwsss.evaluation.metrics.confusion_metric import without_nan
    from mmwsss.evaluation.writers.origin import describe_crf, write_method
    cfg = load_config(args)
    setup_entry_point(cfg, args.launcher)
    if args.launcher != 'none' and not is_distributed():
        init_dist(args.launcher, **cfg.env_cfg.get('dist_cfg', {}))
    outputs = add_outputs(cfg, args)
    check_origins(outputs, args.renew)
    dataset = None
    if not args.score:
        dataset = images_to_do(cfg, outputs)
        if dataset is None:
            return
    if args.labels_out and is_main_process():
        write_method(
            args.labels_out,
            describe_crf(label_rule_config(args, cfg),
                         'cpu' if args.jobs else get_device()))
    runner = build_runner(cfg, dataset)
    scores = runner.test()
    if args.score and is_main_process():
        metric = runner.test_loop.evaluator.metrics[0]
        write_json(
            args.score,
            without_nan(dict(scores, protocol=metric.last_protocol)))


if __name__ == '__main__':
    run_tool(parse_args, main)

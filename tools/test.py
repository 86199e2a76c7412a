# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Test a model.

One process:    python tools/test.py configs/deeplab/deeplabv2_r101_voc.py CKPT
Several GPUs:   bash tools/dist_test.sh configs/deeplab/deeplabv2_r101_voc.py CKPT 4
With the config's scales and flips, metrics to a file:
                ... --tta --out work_dirs/metrics.json
"""

from __future__ import annotations

if __name__ == '__main__':
    from mmwsss.ctrl_c import end_at_ctrl_c
    end_at_ctrl_c()

import argparse
import os.path as osp
from typing import TYPE_CHECKING

import numpy as np

from mmwsss.utils import check_keys, read_config, write_json
from mmwsss.utils.arguments import ToolParser, choose_work_dir
from mmwsss.utils.entry_point import run_tool
from mmwsss.utils.io import check_output_folder

if TYPE_CHECKING:
    from mmengine.config import Config


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = ToolParser(__doc__)
    parser.add_argument('config', help='test config file')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('--work-dir', help='folder for logs')
    parser.add_argument(
        '--out',
        help='a .json file for the metrics, or a folder for metrics.json and '
        'the masks that IoUMetric scores')
    parser.add_argument('--masks', help='folder for the predicted masks, <id>.png')
    parser.add_argument(
        '--tta',
        action='store_true',
        help='test-time augmentation: tta_model and tta_pipeline of the config')
    parser.add_argument('--show', action='store_true', help='show predictions')
    parser.add_argument('--show-dir', help='folder for painted predictions')
    parser.add_argument(
        '--wait-time', type=float, default=2, help='seconds each is shown')
    parser.add_cfg_options()
    parser.add_launcher()
    return parser.parse_args()


def load_config(args: argparse.Namespace) -> Config:
    """Read the config and put the command line into it."""
    cfg = read_config(args.config, args.cfg_options)
    check_keys(cfg, 'model', 'test_dataloader', 'test_evaluator')
    cfg.work_dir = choose_work_dir(args, cfg)
    cfg.load_from, cfg.resume = args.checkpoint, False
    if args.show or args.show_dir:
        draw_predictions(cfg, args)
    if args.tta:
        for key in ('tta_model', 'tta_pipeline'):
            if key not in cfg:
                raise ValueError(f'--tta needs {key}, which {args.config} lacks')
        cfg.test_dataloader.dataset.pipeline = cfg.tta_pipeline
        cfg.model = dict(cfg.tta_model, module=cfg.model)
    evaluators = cfg.test_evaluator
    if isinstance(evaluators, dict):
        evaluators = [evaluators]
    folder = args.masks
    if any(evaluator['type'] == 'IoUMetric' for evaluator in evaluators):
        folder = folder or (args.out if is_folder(args.out) else None)
    if folder:
        cfg.test_evaluator = [
            *evaluators, dict(type='MaskWriter', out_dir=folder)]
    return cfg


def is_folder(out: str | None) -> bool:
    """Whether ``--out`` names no file."""
    return out is not None and not out.endswith('.json')


def draw_predictions(cfg: Config, args: argparse.Namespace) -> None:
    """Turn on the config's visualization hook."""
    hook = cfg.get('default_hooks', {}).get('visualization')
    if hook is None:
        raise ValueError('--show and --show-dir need default_hooks.visualization'
                         '=dict(type="SegVisualizationHook") in the config')
    hook.draw = True
    hook.setdefault('interval', 1)  # its own default draws every 50th
    if args.show:
        hook.update(show=True, wait_time=args.wait_time)
    if args.show_dir:
        cfg.visualizer.save_dir = args.show_dir


def main(args: argparse.Namespace) -> None:
    """Test and write the metrics."""
    from mmengine.dist import is_main_process

    from mmwsss.engine import build_runner, setup_entry_point
    cfg = load_config(args)
    check_output_folder(cfg.work_dir)
    if args.out:
        check_output_folder(
            args.out if is_folder(args.out) else osp.dirname(args.out) or '.')
    setup_entry_point(cfg, args.launcher)
    metrics = build_runner(cfg).test()
    if args.out and is_main_process():
        path = args.out
        if is_folder(path):
            path = osp.join(path, 'metrics.json')
        write_json(path, {
            name: np.asarray(value).tolist() for name, value in metrics.items()
        })


if __name__ == '__main__':
    run_tool(parse_args, main)

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Test a model.

One process:    python tools/test.py configs/deeplab/deeplabv2_r101_voc.py CKPT
Several GPUs:   bash tools/dist_test.sh configs/deeplab/deeplabv2_r101_voc.py CKPT 4
With the config's scales and flips, metrics to a file:
                ... --tta --out work_dirs/metrics.json
"""

from __future__ import annotations

import argparse
import os
import os.path as osp
from typing import TYPE_CHECKING

import numpy as np

import mmwsss  # noqa: F401
from mmwsss.utils import check_keys, read_config, write_json
from mmwsss.utils.arguments import DictAction
from mmwsss.utils.entry_point import run_tool
from mmwsss.utils.import_hooks import quiet_imports

if TYPE_CHECKING:
    from mmengine.config import Config


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
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
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        help='settings that override the config, as key=value')
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='what started the processes')
    # torch.distributed.launch passes either, depending on its version.
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)
    args = parser.parse_args()
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args


def load_config(args: argparse.Namespace) -> Config:
    """Read the config and put the command line into it."""
    cfg = read_config(args.config, args.cfg_options)
    # work_dir is the command line's, else the config's, else the file's name.
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = osp.join('work_dirs',
                                osp.splitext(osp.basename(args.config))[0])
    check_keys(cfg, 'model', 'test_dataloader', 'test_evaluator')
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


def main() -> None:
    """Test and write the metrics."""
    args = parse_args()
    quiet_imports()
    from mmengine.dist import is_main_process
    from mmengine.runner import Runner
    from mmseg.registry import RUNNERS

    from mmwsss.engine import check_output_folder, setup_entry_point
    cfg = load_config(args)
    check_output_folder(cfg.work_dir)
    if args.out:
        check_output_folder(
            args.out if is_folder(args.out) else osp.dirname(args.out) or '.')
    setup_entry_point(cfg, args.launcher)
    if 'runner_type' in cfg:
        runner = RUNNERS.build(cfg)
    else:
        runner = Runner.from_cfg(cfg)
    metrics = runner.test()
    if args.out and is_main_process():
        path = args.out
        if is_folder(path):
            path = osp.join(path, 'metrics.json')
        write_json(path, {
            name: np.asarray(value).tolist() for name, value in metrics.items()
        })


if __name__ == '__main__':
    run_tool(main)

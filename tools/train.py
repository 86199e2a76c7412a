# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Train a model.

One process:    python tools/train.py configs/esol/esol_r50_voc.py
Several GPUs:   bash tools/dist_train.sh configs/esol/esol_r50_voc.py 4
Go on:          python tools/train.py configs/esol/esol_r50_voc.py --resume
Fewer steps:    ... --cfg-options custom_hooks.0.stages.0.iters=100
"""

from __future__ import annotations

import argparse
import os
import os.path as osp
from typing import TYPE_CHECKING

import mmwsss  # noqa: F401
from mmwsss.utils import check_keys, read_config
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
    parser.add_argument('config', help='train config file')
    parser.add_argument('--work-dir', help='folder for logs and checkpoints')
    parser.add_argument(
        '--resume',
        action='store_true',
        help='go on after the latest checkpoint in the work folder, if any')
    parser.add_argument(
        '--amp',
        action='store_true',
        help='train with mixed precision, on a GPU')
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
    from mmengine.device import get_device

    from mmwsss.engine import find_resumable_checkpoint
    cfg = read_config(args.config, args.cfg_options)
    check_keys(cfg, 'model', 'train_dataloader', 'train_cfg')
    # work_dir is the command line's, else the config's, else the file's name.
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = osp.join('work_dirs',
                                osp.splitext(osp.basename(args.config))[0])
    if args.amp:
        device = get_device()
        if device in ('cpu', 'mps'):
            raise ValueError('--amp needs a GPU: AmpOptimWrapper of mmengine '
                             f'does not run on {device}')
        use_amp(cfg)
    cfg.resume = False
    if args.resume:
        checkpoint = find_resumable_checkpoint(cfg.work_dir)
        if checkpoint is not None:
            cfg.resume, cfg.load_from = True, checkpoint
    return cfg


def use_amp(cfg: Config) -> None:
    """Give the optimizer wrappers of the config mixed precision."""
    stages = [
        stage for hook in cfg.get('custom_hooks') or []
        for stage in hook.get('stages', [])
    ]
    for owner in (cfg, *stages):
        wrapper = owner.get('optim_wrapper')
        if wrapper is None or (owner is not cfg and 'type' not in wrapper):
            continue  # a stage that inherits
        kind = wrapper.get('type', 'OptimWrapper')
        if kind == 'OptimWrapper':
            wrapper.update(type='AmpOptimWrapper', loss_scale='dynamic')
        elif kind != 'AmpOptimWrapper':
            raise ValueError(f'--amp replaces OptimWrapper, not {kind}')


def main() -> None:
    """Train."""
    args = parse_args()
    quiet_imports()
    from mmengine.runner import Runner
    from mmseg.registry import RUNNERS

    from mmwsss.engine import check_output_folder, setup_entry_point
    cfg = load_config(args)
    check_output_folder(cfg.work_dir)
    setup_entry_point(cfg, args.launcher)
    if 'runner_type' in cfg:
        runner = RUNNERS.build(cfg)
    else:
        runner = Runner.from_cfg(cfg)
    runner.train()


if __name__ == '__main__':
    run_tool(main)

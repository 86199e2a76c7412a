# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Train a model.

One process:    python tools/train.py configs/esol/esol_r50_voc.py
Several GPUs:   bash tools/dist_train.sh configs/esol/esol_r50_voc.py 4
Go on:          python tools/train.py configs/esol/esol_r50_voc.py --resume
Fewer steps:    ... --cfg-options custom_hooks.0.stages.0.iters=100
"""

from __future__ import annotations

if __name__ == '__main__':
    from mmwsss.ctrl_c import end_at_ctrl_c
    end_at_ctrl_c()

import argparse
from typing import TYPE_CHECKING

from mmwsss.utils import check_keys, read_config
from mmwsss.utils.arguments import ToolParser, choose_work_dir
from mmwsss.utils.entry_point import run_tool
from mmwsss.utils.epochs import stages_of
from mmwsss.utils.io import check_output_folder

if TYPE_CHECKING:
    from mmengine.config import Config


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = ToolParser(__doc__)
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
    parser.add_cfg_options()
    parser.add_launcher()
    return parser.parse_args()


def load_config(args: argparse.Namespace) -> Config:
    """Read the config and put the command line into it."""
    from mmengine.device import get_device

    from mmwsss.engine import find_resumable_checkpoint
    cfg = read_config(args.config, args.cfg_options)
    check_keys(cfg, 'model', 'train_dataloader', 'train_cfg')
    cfg.work_dir = choose_work_dir(args, cfg)
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
    for owner in (cfg, *stages_of(cfg)):
        wrapper = owner.get('optim_wrapper')
        if wrapper is None or (owner is not cfg and 'type' not in wrapper):
            continue  # a stage that inherits
        kind = wrapper.get('type', 'OptimWrapper')
        if kind == 'OptimWrapper':
            wrapper.update(type='AmpOptimWrapper', loss_scale='dynamic')
        elif kind != 'AmpOptimWrapper':
            raise ValueError(f'--amp replaces OptimWrapper, not {kind}')


def main(args: argparse.Namespace) -> None:
    """Train."""
    from mmwsss.engine import (
        build_runner,
        count_epochs,
        naming_weights,
        setup_entry_point,
    )
    cfg = load_config(args)
    check_output_folder(cfg.work_dir)
    setup_entry_point(cfg, args.launcher)
    count_epochs(cfg)
    with naming_weights(cfg):
        build_runner(cfg).train()


if __name__ == '__main__':
    run_tool(parse_args, main)

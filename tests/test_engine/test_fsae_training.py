# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""FSAE configs on generated scenes: train, resume, several processes."""

import os
import socket
import uuid

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from tiny_training import train
from torch import multiprocessing

from mmwsss.engine import load_checkpoint_file, setup_entry_point
from mmwsss.utils import project_path


def fsae_config(voc_root, work_dir, name='fsae_cam_demo', batch_size=4,
                **options) -> Config:
    """Four iterations of a demo config, every one checkpointed."""
    cfg = Config.fromfile(project_path('configs', 'fsae', f'{name}.py'))
    for number in range(len(cfg.get('custom_hooks') or [])):
        for stage in range(3):
            options[f'custom_hooks.{number}.stages.{stage}.iters'] = 2
    cfg.merge_from_dict({
        'experiment_name': uuid.uuid4().hex,
        'visualizer.name': uuid.uuid4().hex,
        'work_dir': str(work_dir),
        'log_level': 'ERROR',
        'default_hooks.checkpoint.interval': 1,
        'default_hooks.checkpoint.max_keep_ckpts': -1,
        'train_cfg.max_iters': 4,
        'train_cfg.val_interval': 100,
        'model.start_iter': 1,
        'model.loss_fsae.threshold': 0.5,
        'model.loss_fsae.ring_threshold': 0.4,
        'model.data_preprocessor.size': (64, 64),
        'model.backbone.base_channels': 8,
        # Statistics of a batch differ between one process and two.
        'model.backbone.norm_eval': True,
        'model.decode_head.in_channels': 32,
        'train_dataloader.batch_size': batch_size,
        **options
    })
    cfg.val_dataloader = cfg.val_evaluator = cfg.val_cfg = None
    loader = cfg.train_dataloader
    loader.update(num_workers=0, persistent_workers=False)
    loader.dataset.data_root = str(voc_root)
    for transform in loader.dataset.pipeline:
        if transform['type'] == 'RandomCropPad':
            transform.crop_size = 64
        if transform['type'] == 'RandomResizeLong':
            transform.update(min_long=48, max_long=64)
    return cfg


def with_teacher(cfg: Config) -> Config:
    hooks = list(cfg.get('custom_hooks') or [])
    cfg.custom_hooks = [*hooks, dict(type='EMAPseudoLabelHook', momentum=0.2)]
    return cfg


def assert_same(model, other) -> None:
    state = other.state_dict()
    for key, value in model.state_dict().items():
        assert torch.equal(state[key], value), key


@pytest.fixture(scope='module')
def unbroken(voc_root, tmp_path_factory):
    work_dir = tmp_path_factory.mktemp('fsae')
    runner, recorder = train(with_teacher(fsae_config(voc_root, work_dir)))
    return work_dir, runner, recorder


def test_scalars(unbroken):
    _, runner, _ = unbroken
    scalars = runner.message_hub.log_scalars
    loss = scalars['train/loss_fsae']._log_history
    assert len(loss) == 3 and (loss > 0).any()
    for name in ('covered', 'ring', 'background'):
        values = scalars[f'train/fsae.{name}']._log_history
        assert len(values) == 3 and 0 <= values.min() <= values.max() <= 1


@pytest.mark.parametrize('iteration', [1, 3])
def test_resumed_equals_unbroken(voc_root, unbroken, tmp_path, iteration):
    work_dir, runner, recorder = unbroken
    resumed, notes = train(with_teacher(fsae_config(
        voc_root, tmp_path, resume=True,
        load_from=str(work_dir / f'iter_{iteration}.pth'))))
    assert notes.losses == {
        k: v for k, v in recorder.losses.items() if k >= iteration}
    assert_same(resumed.model, runner.model)


def test_threshold_above_one_trains_the_base(voc_root, tmp_path):
    options = {'model.backbone.norm_eval': False}
    off, _ = train(fsae_config(
        voc_root, tmp_path / 'off', **{'model.loss_fsae.threshold': 1.01,
                                       **options}))
    base = fsae_config(voc_root, tmp_path / 'base', **options)
    base.model.type = 'WeakSegmentor'
    for key in ('loss_fsae', 'start_iter'):
        base.model.pop(key)
    del base.train_dataloader.dataset.pipeline[-2]
    base, _ = train(base)
    assert_same(base.model, off.model)


def test_stages(voc_root, tmp_path):
    runner, _ = train(with_teacher(fsae_config(
        voc_root, tmp_path, 'fsae_esol_demo',
        **{'model.start_iter': 0, 'train_cfg.max_iters': 6})))
    assert runner.model.stage == 'shrink'
    assert runner.model._teacher[0].stage == 'shrink'


def run_process(rank: int, port: int, voc_root: str, folder: str) -> None:
    torch.set_num_threads(1)
    os.environ.update(
        RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE='2',
        MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port))
    cfg = with_teacher(fsae_config(voc_root, folder, batch_size=2))
    cfg.model.loss_fsae.reduction = 'mean_valid'
    setup_entry_point(cfg, 'pytorch')
    runner = Runner.from_cfg(cfg)
    runner.train()
    torch.distributed.destroy_process_group()


def test_two_processes_equal_one(voc_root, tmp_path):
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    multiprocessing.start_processes(
        run_process, (port, str(voc_root), str(tmp_path / 'two')), nprocs=2,
        start_method='fork')
    cfg = with_teacher(fsae_config(voc_root, tmp_path / 'one'))
    cfg.model.loss_fsae.reduction = 'mean_valid'
    runner, _ = train(cfg)
    two = load_checkpoint_file(tmp_path / 'two' / 'iter_4.pth')
    for key, value in runner.model.state_dict().items():
        torch.testing.assert_close(
            two['state_dict'][key], value, rtol=1e-3, atol=1e-4)
    for key, value in runner.model._teacher[0].state_dict().items():
        torch.testing.assert_close(
            two['teacher'][f'module.{key}'], value, rtol=1e-3, atol=1e-4)

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""FSAE configs on generated scenes: train, in several processes, too."""

import torch
from mmengine.config import Config
from tiny_training import demo_config, in_two_processes, train

from mmwsss.engine import load_checkpoint_file
from mmwsss.utils import project_path


def fsae_config(voc_root, work_dir, name='fsae_cam_demo', batch_size=4,
                **options) -> Config:
    """Four iterations of a demo config, every one checkpointed."""
    cfg = Config.fromfile(project_path('configs', 'fsae', f'{name}.py'))
    for number in range(len(cfg.get('custom_hooks') or [])):
        for stage in range(3):
            options[f'custom_hooks.{number}.stages.{stage}.iters'] = 2
    return demo_config(voc_root, work_dir, f'fsae/{name}', batch_size, **{
        'model.start_iter': 1,
        'model.loss_fsae.threshold': 0.5,
        'model.loss_fsae.ring_threshold': 0.4,
        'model.decode_head.in_channels': 32,
        **options
    })


def with_teacher(cfg: Config) -> Config:
    hooks = list(cfg.get('custom_hooks') or [])
    cfg.custom_hooks = [*hooks, dict(type='EMAPseudoLabelHook', momentum=0.2)]
    return cfg


def assert_same(model, other) -> None:
    state = other.state_dict()
    for key, value in model.state_dict().items():
        assert torch.equal(state[key], value), key


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


def test_two_processes_equal_one(voc_root, tmp_path):

    def config(name, batch_size):
        cfg = with_teacher(fsae_config(
            voc_root, tmp_path / name, batch_size=batch_size))
        cfg.model.loss_fsae.reduction = 'mean_valid'
        return cfg

    in_two_processes(lambda: train(config('two', 2), 'pytorch'))
    runner, _ = train(config('one', 4))
    two = load_checkpoint_file(tmp_path / 'two' / 'iter_4.pth')
    for key, value in runner.model.state_dict().items():
        torch.testing.assert_close(
            two['state_dict'][key], value, rtol=1e-3, atol=1e-4)
    for key, value in runner.model._teacher[0].state_dict().items():
        torch.testing.assert_close(
            two['teacher'][f'module.{key}'], value, rtol=1e-3, atol=1e-4)

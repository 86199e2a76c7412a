# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Single-stage training on generated scenes: train, test, predict."""

import json
import runpy
import sys
import uuid
from pathlib import Path

import mmseg
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from mmseg.apis import MMSegInferencer
from tiny_training import in_two_processes, train
from torch import nn

from mmwsss.apis import WSSSInferencer
from mmwsss.engine import load_checkpoint_file, setup_entry_point
from mmwsss.structures import Seed
from mmwsss.utils import project_path

STAGES = ('pretrain', 'self_train')


def config(voc_root, work_dir, batch_size=4, teacher=False, **options) -> Config:
    """Two iterations a stage of the demo config, every one checkpointed."""
    cfg = Config.fromfile(
        project_path('configs', 'single_stage', 'single_stage_demo.py'))
    for number in range(2):
        options[f'custom_hooks.0.stages.{number}.iters'] = 2
    cfg.merge_from_dict({
        'experiment_name': uuid.uuid4().hex,
        'visualizer.name': uuid.uuid4().hex,
        'work_dir': str(work_dir),
        'log_level': 'ERROR',
        'default_hooks.checkpoint.interval': 1,
        'default_hooks.checkpoint.max_keep_ckpts': -1,
        'model.backbone.base_channels': 8,
        'model.backbone.stem_channels': 8,
        'model.decode_head.in_channels': (8, 32),
        'model.decode_head.channels': 8,
        # Keep more images than two iterations would.
        'model.decode_head.loss_mask': dict(type='SelfLabelLoss', discard=False),
        'train_dataloader.batch_size': batch_size,
        **options
    })
    for name in ('train', 'val', 'test', 'seed'):
        loader = cfg[f'{name}_dataloader']
        loader.update(num_workers=0, persistent_workers=False)
        loader.dataset.data_root = str(voc_root)
    for transform in cfg.train_dataloader.dataset.pipeline:
        if transform['type'] == 'mmpretrain.RandomResizedCrop':
            transform.scale = (64, 64)
    if teacher:
        hook = dict(type='EMAPseudoLabelHook', momentum=0.2)
        cfg.custom_hooks = [*cfg.custom_hooks, hook]
    return cfg


@pytest.fixture(scope='module')
def unbroken(voc_root, tmp_path_factory):
    work_dir = tmp_path_factory.mktemp('single_stage')
    runner, recorder = train(config(voc_root, work_dir))
    return work_dir, runner, recorder


def test_runs_through_both_stages(unbroken):
    work_dir, runner, recorder = unbroken
    assert [stage for _, stage in recorder.validated] == list(STAGES)
    assert runner.model.stage == 'self_train'
    scalars = runner.message_hub.log_scalars
    assert len(scalars['train/decode.loss_mask']._log_history) == 2
    assert 0 < scalars['train/decode.decided']._log_history[-1] <= 1
    for stage in STAGES:
        state = load_checkpoint_file(work_dir / f'stage_{stage}.pth')
        assert state['meta']['stage'] == stage
        assert all(v.isfinite().all() for v in state['state_dict'].values())


def quiet_config(voc_root, work_dir, **kwargs) -> Config:
    """Without what differs between one process and two."""
    cfg = config(voc_root, work_dir, **kwargs)
    cfg.model.backbone.norm_eval = True
    cfg.model.decode_head.norm_cfg = dict(type='GN', num_groups=2)
    cfg.model.decode_head.gate = dict(rate=0.3, deterministic=True)
    return cfg


def quiet_run(cfg: Config) -> Runner:
    runner = Runner.from_cfg(cfg)
    for module in runner.model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.
    runner.train()
    return runner


def test_two_processes_equal_one(voc_root, tmp_path):
    def run():
        cfg = quiet_config(voc_root, tmp_path / 'two', batch_size=2)
        setup_entry_point(cfg, 'pytorch')
        quiet_run(cfg)

    in_two_processes(run)
    cfg = quiet_config(voc_root, tmp_path / 'one')
    setup_entry_point(cfg)
    one = quiet_run(cfg).model.state_dict()
    two = load_checkpoint_file(tmp_path / 'two' / 'iter_4.pth')['state_dict']
    for key, value in one.items():
        # AdamW makes much of tiny differences.
        torch.testing.assert_close(two[key], value, rtol=1e-2, atol=1e-3)


def call(monkeypatch, tool, *args) -> None:
    monkeypatch.setattr(sys, 'argv', [str(tool), *map(str, args)])
    runpy.run_path(str(tool), run_name='__main__')


@pytest.fixture(scope='module')
def trained(voc_root, unbroken, tmp_path_factory):
    work_dir, _, _ = unbroken
    path = tmp_path_factory.mktemp('config') / 'tiny.py'
    config(voc_root, path.parent / 'run').dump(path)
    return path, work_dir / 'stage_self_train.pth'


def test_tools(voc_root, trained, tmp_path, monkeypatch):
    """Test with scales and flips, with tags; write seeds and labels."""
    path, checkpoint = trained
    call(monkeypatch, project_path('tools', 'test.py'), path, checkpoint,
         '--work-dir', tmp_path, '--tta', '--out', tmp_path / 'out.json')
    assert 0 <= json.loads((tmp_path / 'out.json').read_text())['mIoU'] <= 100
    call(monkeypatch, project_path('tools', 'generate_seeds.py'), path,
         checkpoint, '--out', tmp_path / 'seeds', '--labels-out',
         tmp_path / 'labels', '--refiner', 'config', '--cfg-options',
         'label_rule.refiner=None')
    names = sorted(file.stem for file in (tmp_path / 'seeds').glob('*.npz'))
    assert len(names) == len(list((tmp_path / 'labels').glob('*.png'))) == 8
    table = json.loads((Path(voc_root) / 'image_labels.json').read_text())
    seed = Seed.load(str(tmp_path / 'seeds' / f'{names[0]}.npz'))
    assert len(seed.labels) == len(set(table[names[0]]) - {'background'})
    assert seed.background is not None


def test_mmsegs_own_script(trained, tmp_path, monkeypatch):
    path, checkpoint = trained
    tool = Path(mmseg.__file__).parent / '.mim' / 'tools' / 'test.py'
    call(monkeypatch, tool, path, checkpoint, '--work-dir', tmp_path, '--out',
         tmp_path / 'masks')
    assert len(list((tmp_path / 'masks').glob('*.png'))) == 4


def test_inferencers(voc_root, trained):
    path, checkpoint = trained
    image = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    inferencer = MMSegInferencer(str(path), str(checkpoint), device='cpu')
    assert inferencer(image)['predictions'].shape == (48, 64)
    inferencer = WSSSInferencer(str(path), str(checkpoint), device='cpu')
    names = inferencer.classes[1:3]
    result = inferencer(image, tags=names)
    assert result['mask'].shape == (48, 64)
    assert set(np.unique(result['mask'])) <= {0, 1, 2}

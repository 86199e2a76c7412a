# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""SEAM and PSA train on generated scenes by the tool, and resume exactly."""

import pytest
import torch
from mmengine.config import Config
from tool_runner import run_tool

from mmwsss.engine import load_checkpoint_file
from mmwsss.utils import project_path

BACKBONE = dict(
    base_channels=8, stem_channels=8, norm_eval=True)


def tiny_config(path, source, voc_root, **options):
    """A demo config with a small network, without worker processes."""
    cfg = Config.fromfile(project_path('configs', *source.split('/')))
    cfg.merge_from_dict({
        'log_level': 'ERROR',
        'train_cfg.max_iters': 4,
        'default_hooks.checkpoint.interval': 2,
        'default_hooks.checkpoint.max_keep_ckpts': -1,
        'train_dataloader.batch_size': 2,
        **options
    })
    cfg.model.backbone.update(BACKBONE)
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader',
                 'seed_dataloader'):
        if cfg.get(name):
            cfg[name].update(num_workers=0, persistent_workers=False)
            cfg[name].dataset.data_root = str(voc_root)
    cfg.dump(path)
    return path


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp('psa')


@pytest.fixture(scope='module')
def seam(folder, voc_root):
    return tiny_config(
        folder / 'seam.py', 'seam/seam_demo.py', voc_root, **{
            'model.decode_head.in_channels': [8, 16, 32],
            'model.decode_head.reduced_channels': (4, 8),
            'train_cfg.val_interval': 4,
            'val_dataloader.dataset.indices': 2
        })


@pytest.fixture(scope='module')
def psa(folder, voc_root):
    """Learns affinities from masks: from labels of seeds it does in a recipe."""
    return tiny_config(
        folder / 'psa.py', 'psa/psa_demo.py', voc_root, **{
            'model.decode_head.in_channels': [8, 16, 32],
            'model.decode_head.reduced_channels': (4, 4, 8),
            'train_dataloader.dataset.indices': 3,
            'train_dataloader.dataset.data_prefix.seg_map_path':
            'SegmentationClass'
        })


@pytest.mark.parametrize('name', ['seam', 'psa'])
def test_resumed_training_is_the_same(folder, seam, psa, name):
    config = dict(seam=seam, psa=psa)[name]
    run_tool('train', config, '--work-dir', folder / name)
    whole = load_checkpoint_file(folder / name / 'iter_4.pth')['state_dict']
    work_dir = folder / f'{name}_resumed'
    work_dir.mkdir()
    half = (folder / name / 'iter_2.pth').read_bytes()
    (work_dir / 'iter_2.pth').write_bytes(half)
    (work_dir / 'last_checkpoint').write_text(str(work_dir / 'iter_2.pth'))
    run_tool('train', config, '--work-dir', work_dir, '--resume')
    resumed = load_checkpoint_file(work_dir / 'iter_4.pth')['state_dict']
    first = load_checkpoint_file(work_dir / 'iter_2.pth')['state_dict']
    assert any(not torch.equal(first[k], v) for k, v in whole.items())
    for key, value in whole.items():
        assert torch.equal(value, resumed[key]), key

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""SEAM's maps refined by PSA on generated scenes, with the tools users call."""

import runpy
import sys

import numpy as np
import pytest
import torch
from mmengine.config import Config
from PIL import Image

from mmwsss.engine import load_checkpoint_file
from mmwsss.structures import Seed
from mmwsss.utils import project_path

BACKBONE = dict(
    base_channels=8, stem_channels=8, norm_eval=True)


def call(monkeypatch, tool, *args):
    """Run a tool's main in this process."""
    monkeypatch.setattr(sys, 'argv', [tool, *map(str, args)])
    runpy.run_path(project_path('tools', tool), run_name='__main__')


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
    cfg.seed_dataloader.dataset.indices = 3
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
    return tiny_config(
        folder / 'psa.py', 'psa/psa_demo.py', voc_root, **{
            'model.decode_head.in_channels': [8, 16, 32],
            'model.decode_head.reduced_channels': (4, 4, 8),
            'label_rule.refiner': None,
            'train_dataloader.dataset.indices': 3,
            'train_dataloader.dataset.data_prefix.seg_map_path':
            str(folder / 'labels')
        })


@pytest.fixture(scope='module', autouse=True)
def steps(folder, seam, psa):
    """Train, make seeds, labels, train affinities, walk: each output once."""
    monkeypatch = pytest.MonkeyPatch()
    call(monkeypatch, 'train.py', seam, '--work-dir', folder / 'seam')
    call(monkeypatch, 'generate_seeds.py', seam, folder / 'seam/iter_4.pth',
         '--out', folder / 'seeds')
    call(monkeypatch, 'refine_seeds.py', psa, '--seeds', folder / 'seeds',
         '--out', folder / 'labels', '--refiner', 'config', '--jobs', 0)
    call(monkeypatch, 'train.py', psa, '--work-dir', folder / 'psa')
    call(monkeypatch, 'walk_seeds.py', psa, folder / 'psa/iter_4.pth',
         '--seeds', folder / 'seeds', '--out', folder / 'walked')
    monkeypatch.undo()


def names(path, suffix):
    return sorted(p.stem for p in path.glob(f'*{suffix}'))


def test_every_photo_has_its_files(folder):
    ids = names(folder / 'seeds', '.npz')
    assert len(ids) == 3
    assert names(folder / 'labels', '.png') == ids
    assert names(folder / 'walked', '.png') == ids


def test_labels_are_of_the_photos_classes(folder):
    for path in (folder / 'seeds').glob('*.npz'):
        seed = Seed.load(str(path))
        classes = {0, 255, *seed.labels.tolist()}
        label = np.array(Image.open(folder / 'labels' / f'{path.stem}.png'))
        walked = np.array(Image.open(folder / 'walked' / f'{path.stem}.png'))
        assert label.shape == walked.shape == seed.size
        assert set(np.unique(label)) <= classes
        assert set(np.unique(walked)) <= classes - {255}


@pytest.mark.parametrize('name', ['seam', 'psa'])
def test_resumed_training_is_the_same(folder, seam, psa, monkeypatch, name):
    config = dict(seam=seam, psa=psa)[name]
    whole = load_checkpoint_file(folder / name / 'iter_4.pth')['state_dict']
    work_dir = folder / f'{name}_resumed'
    work_dir.mkdir()
    half = (folder / name / 'iter_2.pth').read_bytes()
    (work_dir / 'iter_2.pth').write_bytes(half)
    (work_dir / 'last_checkpoint').write_text(str(work_dir / 'iter_2.pth'))
    call(monkeypatch, 'train.py', config, '--work-dir', work_dir, '--resume')
    resumed = load_checkpoint_file(work_dir / 'iter_4.pth')['state_dict']
    first = load_checkpoint_file(work_dir / 'iter_2.pth')['state_dict']
    assert any(not torch.equal(first[k], v) for k, v in whole.items())
    for key, value in whole.items():
        assert torch.equal(value, resumed[key]), key

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""A single-stage model passes all tools: test, seeds, mmseg's own, inferencers."""

import json
import runpy
import sys
from pathlib import Path

import mmseg
import numpy as np
import pytest
from method_training import method_config
from mmseg.apis import MMSegInferencer
from tiny_training import train

from mmwsss.apis import WSSSInferencer
from mmwsss.engine import load_checkpoint_file
from mmwsss.structures import Seed
from mmwsss.utils import project_path


def call(monkeypatch, tool, *args) -> None:
    monkeypatch.setattr(sys, 'argv', [str(tool), *map(str, args)])
    runpy.run_path(str(tool), run_name='__main__')


@pytest.fixture(scope='module')
def trained(voc_root, tmp_path_factory):
    folder = tmp_path_factory.mktemp('single_stage')
    cfg = method_config('single_stage/single_stage_demo', voc_root, folder / 'run',
                        validate=True, teacher=False)
    cfg.dump(folder / 'tiny.py')
    train(cfg)
    for stage in ('pretrain', 'self_train'):
        checkpoint = folder / 'run' / f'stage_{stage}.pth'
        state = load_checkpoint_file(checkpoint)
        assert state['meta']['stage'] == stage
        assert all(v.isfinite().all() for v in state['state_dict'].values())
    return folder / 'tiny.py', checkpoint


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

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""IRN trains, resumes and lets seeds walk by the tools."""

import os

import numpy as np
import pytest
from PIL import Image
from tool_runner import run_tool

from mmwsss.structures import Seed
from mmwsss.structures.seed import strided_size
from mmwsss.utils import project_path, read_json

CONFIG = """
_base_ = {base!r}
train_dataloader = dict(
    batch_size=2, num_workers=0, persistent_workers=False,
    dataset=dict(data_prefix=dict(seg_map_path='SegmentationClass')))
seed_dataloader = dict(
    num_workers=0, persistent_workers=False, dataset=dict(indices=3))
train_cfg = dict(max_iters=2)
walk_tta_model = dict(pad_size=0)
walk = dict(refiner=dict(steps=16))
default_hooks = dict(checkpoint=dict(interval=1))
custom_hooks = [dict(
    type='MeanShiftHook', crop_size=64,
    dataloader=dict(
        _base_.mean_shift_dataloader, num_workers=0,
        dataset=dict(_base_.mean_shift_dataloader.dataset, indices=2)))]
"""


def names(folder, suffix):
    return sorted(n for n in os.listdir(folder)
                  if n.endswith(suffix) and not n.startswith('.'))


@pytest.fixture(scope='module')
def irn(voc_root, tmp_path_factory):
    """A trained IRN, and seeds of the images to train on."""
    folder = tmp_path_factory.mktemp('irn')
    config = folder / 'irn.py'
    base = project_path('configs', 'irn', 'irn_demo.py')
    config.write_text(CONFIG.format(base=base))
    root = f'data_root={voc_root}'
    # A run that was stopped after an iteration goes on.
    run_tool('train', config, '--work-dir', folder / 'work', '--cfg-options', root,
             'train_cfg.max_iters=1')
    run_tool('train', config, '--work-dir', folder / 'work', '--resume',
             '--cfg-options', root)
    rng = np.random.default_rng(0)
    (folder / 'seeds').mkdir()
    table = read_json(str(voc_root / 'image_labels.json'))
    ids = (voc_root / 'ImageSets/Segmentation/train.txt').read_text().split()[:3]
    for name in ids:
        with Image.open(voc_root / 'JPEGImages' / f'{name}.jpg') as image:
            size = image.size[::-1]
        labels = list(range(1, 1 + len(table[name])))
        Seed(
            rng.random((len(labels), *strided_size(size)), dtype=np.float32),
            labels, size).save(str(folder / 'seeds' / f'{name}.npz'))
    return folder, config, root, ids


def walk(irn, *options):
    folder, config, root, _ = irn
    run_tool('walk_seeds', config, folder / 'work' / 'iter_2.pth', '--seeds',
             folder / 'seeds', *options, '--cfg-options', root)


def test_walk(irn, tmp_path):
    folder, _, _, ids = irn
    out, seeds = tmp_path / 'labels', tmp_path / 'seeds'
    walk(irn, '--out', out, '--seeds-out', seeds)
    assert names(out, '.png') == [f'{name}.png' for name in ids]
    assert names(seeds, '.npz') == [f'{name}.npz' for name in ids]
    for name in ids:
        before = Seed.load(str(folder / 'seeds' / f'{name}.npz'))
        after = Seed.load(str(seeds / f'{name}.npz'))
        mask = np.array(Image.open(out / f'{name}.png'))
        assert mask.shape == before.size == after.size
        assert set(np.unique(mask)) <= {0, *before.labels.tolist()}
        assert after.labels.tolist() == before.labels.tolist()
        # A walk averages.
        assert after.scores.std() < before.scores.std()
    # What is missing is made again, and only that.
    first, second = (out / f'{name}.png' for name in ids[:2])
    content, date = first.read_bytes(), second.stat().st_mtime_ns
    first.unlink()
    walk(irn, '--out', out, '--seeds-out', seeds)
    assert first.read_bytes() == content
    assert second.stat().st_mtime_ns == date
    with pytest.raises(FileExistsError, match='made with another walk'):
        walk(irn, '--out', out, '--bg-thr', '0.5')
    walk(irn, '--out', out, '--bg-thr', '0.5', '--renew')
    assert names(out, '.png') == names(tmp_path / 'labels.previous', '.png')
    assert (tmp_path / 'labels.previous' / first.name).read_bytes() == content


def test_instances(irn, tmp_path):
    mask_tools = pytest.importorskip('pycocotools.mask')
    folder, _, _, ids = irn
    walk(irn, '--instances', tmp_path)
    assert set(names(tmp_path, '.json')) == {
        'instances.json', *(f'{name}.json' for name in ids)}
    results = read_json(str(tmp_path / 'instances.json'))
    assert results
    # A run that was killed before its last file.
    (tmp_path / 'instances.json').unlink()
    walk(irn, '--instances', tmp_path)
    assert read_json(str(tmp_path / 'instances.json')) == results
    for one in results:
        # These images are not COCO's: their names and classes stay ours.
        assert one['image_id'] in ids
        before = Seed.load(str(folder / 'seeds' / f'{one["image_id"]}.npz'))
        mask = mask_tools.decode(one['segmentation'])
        assert mask.shape == before.size and mask.any()
        assert one['category_id'] in before.labels.tolist()
        assert 0 <= one['score'] <= 1


def test_missing_seed(irn, tmp_path):
    folder, config, root, ids = irn
    (tmp_path / 'none').mkdir()
    with pytest.raises(FileNotFoundError, match=f'none.*{ids[0]}.npz'):
        run_tool('walk_seeds', config, folder / 'work' / 'iter_2.pth', '--seeds',
                 tmp_path / 'none', '--out', tmp_path / 'out', '--cfg-options',
                 root)

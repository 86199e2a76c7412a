# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""The steps of IRN in the demo's recipe, from seeds to pseudo labels, tiny."""

import os

import numpy as np
from PIL import Image

from mmwsss.pipeline import Pipeline, Recipe
from mmwsss.structures import Seed
from mmwsss.utils import project_path

RECIPE = """
_base_ = {base!r}
data_root = {data_root!r}
conf_fg, conf_bg = 0.9, 0.3
quick = {{
    'train_cfg.max_iters': 2,
    'train_dataloader.batch_size': 2,
    'train_dataloader.num_workers': 0,
    'train_dataloader.persistent_workers': False,
    'seed_dataloader.num_workers': 0,
    'seed_dataloader.persistent_workers': False,
}}
irn = {irn!r}
localizer = {localizer!r}
changes = dict(
    train_irn={{**quick, 'custom_hooks.0.dataloader.num_workers': 0,
               'custom_hooks.0.dataloader.dataset.indices': 1}},
    walk={{**quick, 'walk.refiner.steps': 8}})
steps = [step for step in _base_.steps
         if step['name'] in (*changes, 'affinity_labels')]
seeds = {seeds!r}
for step in steps:
    step['cfg_options'] = {{**step.get('cfg_options', {{}}),
                           **changes.get(step['name'], {{}})}}
    if step['type'] == 'refine':
        step['jobs'] = 0
del step
"""


def test_from_seeds_to_pseudo_labels(tmp_path, voc_root, monkeypatch):
    root = os.path.dirname(project_path('tools'))
    monkeypatch.setenv('PYTHONPATH', root)
    path = tmp_path / 'small_pipeline.py'
    path.write_text(RECIPE.format(
        base=project_path('configs', 'irn', 'irn_demo_pipeline.py'),
        irn=project_path('configs', 'irn', 'irn_demo.py'),
        localizer=project_path('configs', 'cam', 'cam_demo.py'),
        data_root=str(voc_root),
        seeds=str(tmp_path / 'seeds')))
    (tmp_path / 'seeds').mkdir()
    ids = (voc_root / 'ImageSets/Segmentation/train.txt').read_text().split()
    for name in ids:
        Seed(
            np.random.default_rng(0).random((2, 16, 16)), [2, 5],
            (64, 64)).save(str(tmp_path / 'seeds' / f'{name}.npz'))
    work = tmp_path / 'work'
    Pipeline(Recipe(str(path), str(work))).run()
    for name in ids:
        undecided = np.array(Image.open(work / 'affinity_labels' / f'{name}.png'))
        assert set(np.unique(undecided)) <= {0, 2, 5, 255}
        assert (work / 'walk' / 'seeds' / f'{name}.npz').exists()
        label = np.array(Image.open(work / 'walk' / f'{name}.png'))
        assert label.shape == (64, 64) and set(np.unique(label)) <= {0, 2, 5}

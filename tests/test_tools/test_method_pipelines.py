# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""The demo recipes of the methods, from tags to scored pseudo labels, tiny."""

import os

import numpy as np
import pytest
from PIL import Image

from mmwsss.pipeline import Pipeline, Recipe
from mmwsss.utils import project_path, read_json

RECIPE = """
_base_ = {base!r}
data_root = {data_root!r}
steps = [step for step in _base_.steps if step['name'] in {steps!r}]
for step in steps:
    options = dict(step.get('cfg_options', {{}}))
    if step['type'] == 'train':
        options.update({{
            'train_cfg.max_iters': 2, 'train_cfg.val_interval': 2,
            'train_dataloader.batch_size': 2,
            'train_dataloader.num_workers': 0,
            'train_dataloader.persistent_workers': False,
            **{changes!r}.get(step['name'], {{}})}})
    if step['type'] == 'walk':
        options['walk.refiner.steps'] = 8
    step['cfg_options'] = options
    if 'needs' in step:
        # As where pydensecrf is not installed.
        step['needs'] = 'a_package_that_nobody_has'
    if step['type'] in ('seeds', 'refine', 'score_seeds', 'score_masks'):
        step['jobs'] = 0
del step, options
"""


@pytest.mark.parametrize('recipe, steps, changes', [
    ('psa/psa_demo_pipeline',
     ('train_localizer', 'seeds', 'affinity_labels', 'train_affinity',
      'pseudo_labels', 'score_pseudo_labels'),
     {}),
    ('single_stage/single_stage_demo_pipeline',
     ('train_localizer', 'pseudo_labels', 'score_pseudo_labels'),
     dict(train_localizer={
         'custom_hooks.0.stages.0.iters': 1,
         'custom_hooks.0.stages.1.iters': 1})),
    ('fsae/fsae_cam_demo_pipeline',
     ('train_localizer', 'seeds', 'score_seeds', 'pseudo_labels',
      'score_pseudo_labels'),
     dict(train_localizer={'model.start_iter': 1})),
])
def test_from_tags_to_pseudo_labels(
        tmp_path, voc_root, monkeypatch, recipe, steps, changes):
    monkeypatch.setenv('PYTHONPATH', os.path.dirname(project_path('tools')))
    path = tmp_path / 'small_pipeline.py'
    path.write_text(RECIPE.format(
        base=project_path('configs', *f'{recipe}.py'.split('/')),
        data_root=str(voc_root), steps=steps, changes=changes))
    work = tmp_path / 'work'
    pipeline = Pipeline(Recipe(str(path), str(work)))
    pipeline.run()
    ids = (voc_root / 'ImageSets/Segmentation/train.txt').read_text().split()
    for name in ids:
        label = np.array(Image.open(work / 'pseudo_labels' / f'{name}.png'))
        assert label.shape == (64, 64) and label.max() <= 6
    scores = read_json(str(work / 'score_pseudo_labels' / 'metrics.json'))
    assert 0 < scores['mask/mIoU'] < 100
    # Nothing is done twice.
    again = Pipeline(Recipe(str(path), str(work)))
    assert {plan.action for _, plan in again.preview()} == {'skip'}

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""The demo recipes of the methods, from tags to scored pseudo labels, tiny.

One of them goes on to a trained model and its report.
"""

import os
import runpy
import sys
from multiprocessing import get_context

import numpy as np
import pytest
import torch
from matplotlib import pyplot  # noqa: F401  Else each step imports it anew.
from mmengine.config import Config
from mmengine.utils import ManagerMixin
from PIL import Image
from shortcuts import forget_instances, plain_text

from mmwsss.recipes import Recipe, RecipeRunner
from mmwsss.utils import project_path, read_json
from mmwsss.utils.checkpoint import load_weights

RECIPE = """
_base_ = {base!r}
data_root = {data_root!r}
steps = [step for step in _base_.steps if step['name'] in {steps!r}]
for step in steps:
    quick = {{}}
    if step['type'] == 'train':
        quick = {{
            'train_cfg.max_iters': 2, 'train_cfg.val_interval': 2,
            'train_dataloader.batch_size': 2,
            'train_dataloader.num_workers': 0,
            'train_dataloader.persistent_workers': False,
            **{changes!r}.get(step['name'], {{}})}}
    if step['type'] == 'walk':
        quick = {{'walk.refiner.steps': 8}}
    if step['type'] != 'command':
        step['cfg_options'] = {{**step.get('cfg_options', {{}}), **quick}}
    if step['type'] in ('seeds', 'refine', 'score_seeds', 'score_masks'):
        step['jobs'] = 0
del step, quick
"""

LABEL_STEPS = (
    'train_localizer', 'seeds', 'score_seeds', 'pseudo_labels',
    'score_pseudo_labels')
MODEL_STEPS = (
    'train_segmentor', 'test', 'train_full', 'test_full', 'predict_train',
    'report')


def run_tool(command, log):
    sys.argv = command[1:]
    sys.stdout = sys.stderr = open(log, 'a')
    # A fork must not wait for the threads of its parent, nor log to its files.
    torch.set_num_threads(1)
    forget_instances(ManagerMixin)
    runpy.run_path(command[1], run_name='__main__')


def run_forked(processes, command, log, *args):
    """Run a step's tool in a fork of this process, which has all imported."""
    os.makedirs(os.path.dirname(log), exist_ok=True)
    process = get_context('fork').Process(target=run_tool, args=(command, log))
    process.start()
    process.join()
    return process.exitcode


@pytest.mark.parametrize('recipe, steps, changes', [
    ('psa/psa_demo_pipeline',
     ('train_localizer', 'seeds', 'affinity_labels', 'train_affinity',
      'pseudo_labels', 'score_pseudo_labels'),
     {}),
    ('seam/seam_demo_pipeline',
     ('train_localizer', 'seeds', 'affinity_labels', 'train_affinity',
      'pseudo_labels', 'score_pseudo_labels'),
     {}),
    ('sance/sance_demo_pipeline',
     ('train_localizer', 'seeds', 'seed_labels', 'train_sance', 'sance_seeds',
      'score_sance_seeds', 'pseudo_labels', 'score_pseudo_labels'),
     dict(train_sance={'model.start_iter': 0})),
    ('esol/esol_irn_demo_pipeline',
     ('train_localizer', 'seeds_shrink', 'affinity_labels', 'train_irn', 'walk',
      'score_walk', 'pseudo_labels', 'score_pseudo_labels'),
     dict(
         train_localizer={
             'train_cfg.max_iters': 3, 'train_cfg.val_interval': 3,
             **{f'custom_hooks.0.stages.{i}.iters': 1 for i in range(3)}},
         train_irn={
             'custom_hooks.0.dataloader.num_workers': 0,
             'custom_hooks.0.dataloader.dataset.indices': 1})),
    ('esol/esol_psa_demo_pipeline',
     ('train_localizer', 'seeds_shrink', 'affinity_labels', 'train_affinity',
      'pseudo_labels', 'score_pseudo_labels'),
     dict(train_localizer={
         'train_cfg.max_iters': 3, 'train_cfg.val_interval': 3,
         **{f'custom_hooks.0.stages.{i}.iters': 1 for i in range(3)}})),
    ('single_stage/single_stage_demo_pipeline',
     ('train_localizer', 'pseudo_labels', 'score_pseudo_labels'),
     dict(train_localizer={
         'custom_hooks.0.stages.0.iters': 1,
         'custom_hooks.0.stages.1.iters': 1})),
    ('self_training/self_training_demo_pipeline',
     ('train_localizer', 'seeds', 'score_seeds', 'first_labels', 'train_1', 'seeds_1',
      'score_seeds_1', 'pseudo_labels', 'score_pseudo_labels'),
     dict(train_localizer={'custom_hooks.0.stages.0.iters': 2})),
    ('fsae/fsae_cam_demo_pipeline', LABEL_STEPS + MODEL_STEPS,
     dict(train_localizer={'model.start_iter': 1})),
])
def test_from_tags_to_pseudo_labels(
        tmp_path, voc_root, monkeypatch, recipe, steps, changes):
    run_recipe(tmp_path, voc_root, monkeypatch, recipe, steps, changes)


def test_example_method_by_one_option(tmp_path, voc_root, monkeypatch):
    """As docs/en/new_method.md says: CAM's recipe with another classifier."""
    root = os.path.dirname(project_path('tools'))
    monkeypatch.syspath_prepend(root)
    monkeypatch.chdir(root)
    localizer = 'projects/example_method/configs/recam_demo.py'
    if not os.path.exists(localizer):
        pytest.skip('an install has no projects')
    run_recipe(tmp_path, voc_root, monkeypatch, 'cam/cam_demo_pipeline',
               LABEL_STEPS + MODEL_STEPS, {}, dict(localizer=localizer))
    weights = load_weights(
        str(tmp_path / 'work' / 'train_localizer' / 'iter_2.pth'))
    assert 'decode_head.recam.weight' in weights


def run_recipe(tmp_path, voc_root, monkeypatch, recipe, steps, changes,
               options=None):
    monkeypatch.setattr('mmwsss.recipes.recipe_runner.StepProcesses.run', run_forked)
    monkeypatch.setattr(Config, 'pretty_text', property(plain_text))
    path = tmp_path / 'small_pipeline.py'
    path.write_text(RECIPE.format(
        base=project_path('configs', *f'{recipe}.py'.split('/')),
        data_root=str(voc_root), steps=steps, changes=changes))
    work = tmp_path / 'work'
    pipeline = RecipeRunner(Recipe(str(path), str(work), options))
    pipeline.run()
    ids = (voc_root / 'ImageSets/Segmentation/train.txt').read_text().split()
    for name in ids:
        label = np.array(Image.open(work / 'pseudo_labels' / f'{name}.png'))
        assert label.shape == (64, 64) and label.max() <= 6
    scores = read_json(str(work / 'score_pseudo_labels' / 'metrics.json'))
    assert 0 < scores['mask/mIoU'] < 100
    if 'report' in steps:
        check_model(work, voc_root)
    # Nothing is done twice.
    again = RecipeRunner(Recipe(str(path), str(work), options))
    assert {plan.action for _, plan in again.preview()} == {'skip'}


def check_model(work, voc_root):
    """A model was trained on the pseudo labels, tested and reported."""
    test, full, train = (
        read_json(str(work / step / 'metrics.json'))['mIoU']
        for step in ('test', 'test_full', 'predict_train'))
    assert 0 <= min(test, full, train)
    ids = (voc_root / 'ImageSets/Segmentation/val.txt').read_text().split()
    for name in ids:
        mask = np.array(Image.open(work / 'test' / 'masks' / f'{name}.png'))
        assert mask.shape == (64, 64) and mask.max() <= 6
    report = (work / 'report.html').read_text()
    for figure in (test, full):
        assert f'{figure:.1f}' in report
    assert (work / 'contact_sheet.png').exists()

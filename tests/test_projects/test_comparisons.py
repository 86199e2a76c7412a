# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""The recipes that set the projects side by side."""

import os

import pytest

from mmwsss.recipes import Recipe
from mmwsss.utils import load_config, project_path

FOLDER = project_path('projects', 'configs')


@pytest.fixture(autouse=True)
def root(monkeypatch):
    monkeypatch.chdir(project_path())
    monkeypatch.syspath_prepend(project_path())


def settings(recipe, name):
    """The config of a step, with the step's options."""
    step = recipe[name]
    cfg = load_config(recipe.config_path(step))
    cfg.merge_from_dict(dict(step.spec['cfg_options']))
    return cfg


def test_rows_differ_in_what_they_compare():
    recipe = Recipe(os.path.join(FOLDER, 'compare_mobilenetv1_animals_pipeline.py'))
    trained = [step.name for step in recipe.steps
               if step.name.startswith('train_') and 'segmentor' not in step.name]
    assert len(trained) == 24
    first = [settings(recipe, name) for name in trained if name.endswith('_0')]
    for key in ('train_cfg', 'randomness', 'optim_wrapper.optimizer',
                'train_dataloader.batch_size', 'model.backbone'):
        values = []
        for cfg in first:
            for part in key.split('.'):
                cfg = cfg[part]
            values.append(cfg)
        assert all(value == values[0] for value in values), key
    starts = {name: settings(recipe, name).model.start_iter
              for name in trained if 'fsae' in name}
    assert len(starts) == 6 and {*starts.values()} == {
        first[0].train_cfg.max_iters // 2}


def test_a_sweep_changes_one_value_of_its_row():
    recipe = Recipe(os.path.join(FOLDER, 'sweep_fsae_mobilenetv1_animals_pipeline.py'))
    row = settings(recipe, 'train_threshold_08_0')
    other = settings(recipe, 'train_kernel_size_5_0')
    assert (row.model.loss_fsae, other.model.loss_fsae) == (
        dict(type='FSAELoss', threshold=0.8), dict(type='FSAELoss', kernel_size=5))
    row.model.pop('loss_fsae'), other.model.pop('loss_fsae')
    assert row.to_dict() == other.to_dict()
    row.randomness.seed = 2
    last = settings(recipe, 'train_one_minus_max_2')
    assert last.model.pop('loss_fsae').background == 'one_minus_max'
    assert row.to_dict() == last.to_dict()

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""The recommended recipe on generated scenes, tiny, from tags to its report."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from test_sipe_pipeline import run_sipe_recipe

from mmwsss.recipes import Recipe
from mmwsss.structures import Seed
from mmwsss.utils import read_config, read_json

ROOT = Path(__file__).parents[2]
RECIPES = sorted(ROOT.glob('projects/recommended/configs/*_pipeline.py'))
STEPS = ('train_classifier', 'train_localizer', 'seeds', 'score_seeds',
         'affinity_labels', 'train_irn', 'first_labels', 'score_first_labels',
         'train_1', 'seeds_1', 'pseudo_labels', 'score_pseudo_labels')


def test_from_tags(tmp_path, voc_root, monkeypatch):
    work = run_sipe_recipe(
        tmp_path, voc_root, monkeypatch,
        'recommended/configs/recommended_demo_pipeline', STEPS)
    names = sorted(path.stem for path in (work / 'seeds').glob('*.npz'))
    assert names
    # SIPE goes on from the backbone of the classifier, which it trained no further
    # than two iterations.
    first, second = (
        torch.load(work / step / 'iter_2.pth', weights_only=False)['state_dict']
        for step in ('train_classifier', 'train_localizer'))
    for key, value in first.items():
        if key.startswith('backbone.') and value.dim() == 4:
            assert (second[key] - value).norm() < .1 * value.norm(), key
    for name in names:
        assert Seed.load(str(work / 'seeds' / f'{name}.npz')).background is not None
        # Those of the segmentation model share all that is no background.
        seed = Seed.load(str(work / 'seeds_1' / f'{name}.npz'))
        assert seed.background is None
        label = np.array(Image.open(work / 'pseudo_labels' / f'{name}.png'))
        assert {*np.unique(label)} <= {0, *seed.labels.tolist()}
    options = read_config(str(work / 'configs' / 'seeds_1.py'))
    assert options.tta_model.absent == 'shared'
    scores = [read_json(str(work / step / 'metrics.json'))['mask/mIoU']
              for step in ('score_first_labels', 'score_pseudo_labels')]
    assert all(0 <= score <= 100 for score in scores)


@pytest.mark.parametrize('path', RECIPES, ids=lambda path: path.stem)
def test_recipes(path, tmp_path):
    """No step chooses, and SIPE's network is made without a download."""
    options = dict(classes=['owl', 'fox']) if 'folder' in path.stem else {}
    recipe = Recipe(str(path), str(tmp_path), options)
    assert not any(step.type == 'choose' for step in recipe.steps)
    names = [step.name for step in recipe.steps]
    assert names.index('first_labels') < names.index('train_1') < names.index(
        'pseudo_labels') < names.index('train_segmentor')

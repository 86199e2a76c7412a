# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Recipes of MCTformer on generated scenes, tiny; one of them to its report."""

from pathlib import Path

import pytest
from test_method_pipelines import MODEL_STEPS, run_recipe

from mmwsss.utils.checkpoint import load_weights

ROOT = Path(__file__).parents[2]
WALK_STEPS = ('train_localizer', 'seeds', 'score_seeds', 'affinity_labels',
              'train_affinity', 'pseudo_labels', 'score_pseudo_labels')


@pytest.mark.parametrize('recipe, steps, changes', [
    ('mctformer_v1', WALK_STEPS, {}),
    ('fsae_mctformer_v2', WALK_STEPS + MODEL_STEPS,
     dict(train_localizer={'model.start_iter': 1})),
])
def test_from_tags(tmp_path, voc_root, monkeypatch, recipe, steps, changes):
    monkeypatch.syspath_prepend(ROOT)
    monkeypatch.chdir(ROOT)
    run_recipe(tmp_path, voc_root, monkeypatch,
               f'../projects/mctformer/configs/{recipe}_demo_pipeline', steps, changes)
    weights = load_weights(
        str(tmp_path / 'work' / 'train_localizer' / 'iter_2.pth'))
    # Six classes and the background, which has no token.
    assert weights['backbone.class_token'].shape == (1, 6, 96)
    assert ('decode_head.classifier.weight' in weights) == (recipe != 'mctformer_v1')

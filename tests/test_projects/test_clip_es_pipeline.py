# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""The recipe of CLIP-ES on generated scenes, with a random CLIP."""

from pathlib import Path

import pytest
from test_method_pipelines import run_recipe

from mmwsss.structures import Seed
from mmwsss.utils import read_json
from mmwsss.utils.checkpoint import load_weights

pytest.importorskip('open_clip')
ROOT = Path(__file__).parents[2]
STEPS = ('clip', 'seeds', 'score_seeds', 'pseudo_labels', 'score_pseudo_labels')


def test_from_tags(tmp_path, voc_root, monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    monkeypatch.chdir(ROOT)
    run_recipe(tmp_path, voc_root, monkeypatch,
               '../projects/clip_es/configs/clip_es_demo_pipeline', STEPS, {})
    work = tmp_path / 'work'
    weights = load_weights(str(work / 'clip' / 'clip.pth'))
    assert weights['decode_head.class_words'].shape == (6, 32)
    assert weights['decode_head.background_words'].any(dim=1).sum() == 25
    seeds = [Seed.load(str(path)) for path in (work / 'seeds').glob('*.npz')]
    assert seeds and all(seed.scores.shape[1:] == (64, 64) for seed in seeds)
    assert any(seed.scores.max() > 0.9 for seed in seeds)
    scores = read_json(str(work / 'score_seeds' / 'metrics.json'))
    assert scores['seed/threshold'] in (0.381966, 0.5)


@pytest.mark.parametrize('name, steps, changes', [
    ('irn', ('clip', 'seeds', 'affinity_labels', 'train_irn', 'walk', 'score_walk',
             'pseudo_labels', 'score_pseudo_labels'),
     dict(train_irn={
         'custom_hooks.0.dataloader.num_workers': 0,
         'custom_hooks.0.dataloader.dataset.indices': 1})),
    ('psa', ('clip', 'seeds', 'affinity_labels', 'train_affinity', 'pseudo_labels',
             'score_pseudo_labels'), {})])
def test_seeds_for_others(tmp_path, voc_root, monkeypatch, name, steps, changes):
    """IRN and PSA refine them, as those of any classifier."""
    monkeypatch.syspath_prepend(ROOT)
    monkeypatch.chdir(ROOT)
    run_recipe(tmp_path, voc_root, monkeypatch,
               f'../projects/clip_es/configs/clip_es_{name}_demo_pipeline', steps,
               changes)

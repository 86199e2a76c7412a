# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""A recipe of SIPE on generated scenes, tiny, from tags to its report."""

from pathlib import Path

import numpy as np
from PIL import Image
from test_method_pipelines import MODEL_STEPS, run_recipe

from mmwsss.structures import Seed
from mmwsss.utils import read_json

ROOT = Path(__file__).parents[2]
STEPS = ('train_localizer', 'seeds', 'score_seeds', 'affinity_labels',
         'score_affinity_labels', 'train_irn', 'pseudo_labels',
         'score_pseudo_labels')


def run_sipe_recipe(tmp_path, voc_root, monkeypatch, recipe, steps):
    """Run a recipe with FSAE on SIPE, and IRN, to its report; its work folder."""
    monkeypatch.syspath_prepend(ROOT)
    monkeypatch.chdir(ROOT)
    changes = dict(
        train_localizer={'model.start_iter': 1},
        train_irn={
            'custom_hooks.0.dataloader.num_workers': 0,
            'custom_hooks.0.dataloader.dataset.indices': 1
        })
    run_recipe(
        tmp_path, voc_root, monkeypatch, f'../projects/{recipe}', steps + MODEL_STEPS,
        changes)
    return tmp_path / 'work'


def test_from_tags(tmp_path, voc_root, monkeypatch):
    """With FSAE, whose recipe is that of SIPE with another localizer."""
    work = run_sipe_recipe(
        tmp_path, voc_root, monkeypatch, 'sipe/configs/fsae_sipe_demo_pipeline', STEPS)
    seeds = sorted((work / 'seeds').glob('*.npz'))
    assert seeds and all(
        Seed.load(str(path)).background is not None for path in seeds)
    scores = read_json(str(work / 'score_seeds' / 'metrics.json'))
    assert 'seed/threshold' not in scores and 0 <= scores['seed/mIoU'] <= 100
    labels = [np.array(Image.open(path))
              for path in sorted((work / 'affinity_labels').glob('*.png'))]
    assert [label.shape for label in labels] == [(64, 64)] * len(seeds)

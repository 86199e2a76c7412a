# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""The recipe of WeCLIP on generated scenes, with a random CLIP."""

from pathlib import Path

import pytest
from test_method_pipelines import run_recipe

from mmwsss.structures import Seed
from mmwsss.utils import read_json
from mmwsss.utils.checkpoint import load_weights

pytest.importorskip('open_clip')
ROOT = Path(__file__).parents[2]


def test_from_tags(tmp_path, voc_root, monkeypatch):
    """With attention chosen from the second iteration on."""
    monkeypatch.syspath_prepend(ROOT)
    monkeypatch.chdir(ROOT)
    run_recipe(
        tmp_path, voc_root, monkeypatch,
        '../projects/weclip/configs/weclip_demo_pipeline',
        ('clip', 'train_localizer', 'test_localizer', 'pseudo_labels',
         'score_pseudo_labels'),
        dict(train_localizer={'model.decode_head.choose_from': 1}))
    # With and without CRF in one run, and without tags.
    scores = read_json(str(tmp_path / 'work' / 'test_localizer' / 'metrics.json'))
    assert 0 <= min(scores['mIoU'], scores['crf/mIoU'])
    before, after = (
        load_weights(str(tmp_path / 'work' / path))
        for path in ('clip/clip.pth', 'train_localizer/iter_2.pth'))
    # CLIP is as it was, and its words are those of the checkpoint.
    assert all((after[key] == value).all() for key, value in before.items())
    assert any('.decoder.' in key for key in after.keys() - before.keys())


def test_seeds_for_others(tmp_path, voc_root, monkeypatch):
    """IRN refines them, against their own background."""
    monkeypatch.syspath_prepend(ROOT)
    monkeypatch.chdir(ROOT)
    run_recipe(
        tmp_path, voc_root, monkeypatch,
        '../projects/weclip/configs/weclip_irn_demo_pipeline',
        ('clip', 'train_localizer', 'seeds', 'affinity_labels', 'train_irn',
         'pseudo_labels', 'score_pseudo_labels'),
        dict(train_irn={
            'custom_hooks.0.dataloader.num_workers': 0,
            'custom_hooks.0.dataloader.dataset.indices': 1}))
    seeds = [Seed.load(str(path)) for path in (tmp_path / 'work/seeds').glob('*.npz')]
    assert seeds and all(seed.background is not None for seed in seeds)

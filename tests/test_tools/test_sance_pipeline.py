# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""SANCE on generated scenes: exact resuming, and a pipeline to pseudo labels."""

import os

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

from mmwsss.datasets.image_io import read_mask
from mmwsss.engine import setup_entry_point
from mmwsss.engine.runner import load_checkpoint_file
from mmwsss.pipeline import Pipeline, Recipe
from mmwsss.structures import load_label_table
from mmwsss.utils import project_path

CONFIG = project_path('configs', 'sance', 'sance_demo.py')
TINY = {
    'model.data_preprocessor.size': (48, 48),
    'model.backbone.stem_channels': 8,
    'model.backbone.base_channels': 8,
    'model.decode_head.in_channels': (8, 8, 16, 32),
    'model.auxiliary_head.in_channels': 32,
    'model.start_iter': 0,
    'model.refine_by': 'saliency',
    'train_dataloader.batch_size': 2,
    'train_dataloader.num_workers': 0,
    'train_dataloader.persistent_workers': False,
    'val_dataloader.num_workers': 0,
    'val_dataloader.persistent_workers': False,
    'seed_dataloader.num_workers': 0,
    'seed_dataloader.persistent_workers': False,
    'train_cfg.max_iters': 4,
    'train_cfg.val_interval': 4,
    'default_hooks.checkpoint.interval': 2,
    'default_hooks.checkpoint.max_keep_ckpts': -1,
    # The masks stand in for labels of seeds and for saliency.
    'train_dataloader.dataset.data_prefix': dict(
        img_path='JPEGImages', seg_map_path='SegmentationClass',
        saliency_path='SegmentationClass'),
    'train_dataloader.dataset.pipeline': [
        dict(type='SetRandomState'),
        dict(type='LoadPhoto'),
        dict(type='LoadMask'),
        dict(type='LoadSaliency'),
        dict(type='RandomResizeLong', min_long=40, max_long=64),
        dict(type='RandomFlip', prob=0.5),
        dict(
            type='RandomCropPad',
            crop_size=(48, 48),
            pad_val=(103.53, 116.28, 123.675)),
        dict(type='PackWeakInputs')
    ],
    'model.saliency_thr': 0.01,
}


def train(voc_root, work_dir, resume=None, **options):
    cfg = Config.fromfile(CONFIG)
    cfg.merge_from_dict({**TINY, **options})
    for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        cfg[loader].dataset.data_root = str(voc_root)
    cfg.work_dir = str(work_dir)
    if resume:
        cfg.load_from, cfg.resume = str(resume), True
    setup_entry_point(cfg)
    runner = Runner.from_cfg(cfg)
    runner.train()
    return runner


def test_trains_validates_and_resumes_exactly(voc_root, tmp_path):
    runner = train(voc_root, tmp_path / 'whole')
    scalars = runner.message_hub.log_scalars
    for name in ('contour.loss_seed', 'segmentation.loss_seed',
                 'contour.loss_online', 'segmentation.loss_online'):
        assert np.isfinite(scalars[f'train/{name}'].current())
    # The curve of Figure 5.
    assert 0 <= scalars['val/seed/mIoU'].current() <= 100
    train(voc_root, tmp_path / 'rest',
          resume=tmp_path / 'whole' / 'iter_2.pth')
    one, other = (
        load_checkpoint_file(str(tmp_path / name / 'iter_4.pth'))['state_dict']
        for name in ('whole', 'rest'))
    assert set(one) == set(other)
    assert all(torch.equal(one[name], other[name]) for name in one)


RECIPE = """
_base_ = {base!r}
localizer = {config!r}
sance = {config!r}
data_root = {data_root!r}
conf_fg = 0.3
conf_bg = 0.05
seed_labels = 'SegmentationClass'
tiny = {tiny!r}
steps = []
for step in _base_.sance_steps:
    if step['name'] in ('train_sance', 'sance_seeds'):
        step = dict(step, cfg_options=tiny)
        if step['name'] == 'sance_seeds':
            # Pseudo labels at once, as for COCO: one process less.
            step.update(name='pseudo_labels', refiner='none', threshold=0.25)
        steps.append(step)
"""


@pytest.fixture
def package(monkeypatch):
    """Let tools import mmwsss where it is not installed."""
    root = os.path.dirname(project_path('tools'))
    paths = [root, *filter(None, [os.environ.get('PYTHONPATH')])]
    monkeypatch.setenv('PYTHONPATH', os.pathsep.join(paths))


def test_pipeline_makes_pseudo_labels(voc_root, tmp_path, package):
    recipe = tmp_path / 'tiny_pipeline.py'
    recipe.write_text(
        RECIPE.format(
            base=project_path('configs', '_base_', 'pipelines', 'sance.py'),
            config=CONFIG, data_root=str(voc_root),
            tiny={**TINY, 'train_cfg.val_interval': 100}))
    work = tmp_path / 'work'
    Pipeline(Recipe(str(recipe), str(work))).run()
    names = (voc_root / 'ImageSets/Segmentation/train.txt').read_text().split()
    classes = (voc_root / 'classes.txt').read_text().split()
    table = load_label_table(
        str(voc_root / 'image_labels.json'),
        classes if classes[0] == 'background' else ['background', *classes])
    for name in names:
        label = read_mask(str(work / 'pseudo_labels' / f'{name}.png'))
        mask = read_mask(str(voc_root / 'SegmentationClass' / f'{name}.png'))
        assert label.shape == mask.shape
        assert set(np.unique(label)) <= set(np.flatnonzero(table[name]))
        assert label.any()

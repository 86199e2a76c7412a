# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""SANCE on generated scenes trains, and resumes exactly."""


import numpy as np
import torch
from mmengine.config import Config
from mmengine.runner import Runner

from mmwsss.engine import setup_entry_point
from mmwsss.engine.runner import load_checkpoint_file
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
        dict(type='LoadPILImage'),
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

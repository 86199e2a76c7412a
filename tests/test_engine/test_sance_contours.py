# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Contours as the configs of SANCE train and score them, tiny."""

import pytest
from mmengine.config import Config
from mmengine.runner import Runner

from mmwsss.datasets.image_io import read_mask, voc_palette, write_mask
from mmwsss.engine import setup_entry_point
from mmwsss.evaluation.metrics.boundary_matching import boundary_of_mask
from mmwsss.utils import project_path, read_config

TRAINED = {
    'ablations/sance_r101_sbd_baseline-s16.py':
    'ablations/sance_r101_voc_baseline-s16.py',
    'ablations/sance_r101_sbd_naive-s16.py':
    'ablations/sance_r101_voc_naive-s16.py',
    'sance_r101_sbd.py': 'sance_r101_voc.py',
}


def load(name: str) -> Config:
    return read_config(project_path('configs', 'sance', name))


def shrink(cfg: Config, root, work_dir) -> Config:
    """A ResNet-18 of few channels on generated scenes, for two iterations."""
    model = cfg.model
    model.data_preprocessor.size = (48, 48)
    model.backbone.update(
        depth=18, stem_channels=8, base_channels=8, init_cfg=None)
    model.decode_head.update(in_channels=(8, 8, 16, 32, 64), num_classes=7)
    model.decode_head.loss_decode.radius = 3
    if 'auxiliary_head' in model:
        model.auxiliary_head.update(in_channels=64, num_classes=7)
        # Masks stand in for saliency.
        model.update(refine_by='saliency', saliency_thr=0.01, crf_jobs=0)
    for name in ('train', 'val', 'test'):
        loader = cfg[f'{name}_dataloader']
        if loader is None:
            continue
        loader.update(num_workers=0, persistent_workers=False)
        loader.dataset.update(type='WeakDemoDataset', data_root=str(root))
        loader.dataset.data_prefix.img_path = 'JPEGImages'
    train = cfg.train_dataloader
    train.batch_size = 2
    train.dataset.ann_file = 'ImageSets/Segmentation/train.txt'
    train.dataset.data_prefix.update(
        seg_map_path='SegmentationClass', saliency_path='SegmentationClass')
    train.dataset.pipeline = [
        dict(type='LoadPILImage'),
        dict(type='LoadMask'),
        dict(type='LoadSaliency'),
        dict(type='RandomCropPad', crop_size=(48, 48), pad_val=(0, 0, 0)),
        dict(type='PackWeakInputs')
    ]
    cfg.train_cfg.max_iters = 2
    cfg.visualizer.name = cfg.experiment_name = str(work_dir)
    cfg.work_dir, cfg.log_level = str(work_dir), 'ERROR'
    return cfg


def run(cfg: Config) -> Runner:
    setup_entry_point(cfg)
    return Runner.from_cfg(cfg)


@pytest.fixture(scope='module')
def boundaries(voc_root, tmp_path_factory):
    """What tools/dataset_converters/sbd.py makes, of generated scenes."""
    folder = tmp_path_factory.mktemp('boundaries')
    for path in (voc_root / 'SegmentationClass').glob('*.png'):
        edge = boundary_of_mask(read_mask(str(path)))
        write_mask(str(folder / path.name), edge.astype('uint8'),
                   voc_palette(2))
    return folder


@pytest.mark.parametrize('name, trained', TRAINED.items())
def test_trains_and_scores_contours(name, trained, voc_root, boundaries,
                                    tmp_path):
    run(shrink(load(trained), voc_root, tmp_path / 'train')).train()
    cfg = shrink(load(name), voc_root, tmp_path / 'test')
    cfg.test_dataloader.dataset.data_prefix.seg_map_path = str(boundaries)
    cfg.test_evaluator.update(
        matching='distance', num_thresholds=3, thin=False)
    cfg.load_from = str(tmp_path / 'train' / 'iter_2.pth')
    scores = run(cfg).test()
    assert 0 <= scores['boundary/MF_approx'] <= 100

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Contours as the configs of SANCE train and score them, tiny."""

import pytest
from method_training import MASKS, shrink
from mmengine.config import Config
from mmengine.runner import Runner
from tiny_training import train

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


def tiny(name: str, root, work_dir) -> Config:
    """A ResNet-18 of few channels on generated scenes, for two iterations."""
    cfg = read_config(project_path('configs', 'sance', name))
    for split in ('train', 'val', 'test'):
        dataset = (cfg[f'{split}_dataloader'] or {}).get('dataset')
        if dataset:
            dataset.type = 'WeakDemoDataset'
            dataset.data_prefix.img_path = 'JPEGImages'
    train = cfg.train_dataloader.dataset
    train.ann_file = 'ImageSets/Segmentation/train.txt'
    train.data_prefix.update(seg_map_path=MASKS, saliency_path=MASKS)
    train.pipeline = [
        dict(type='LoadPILImage'),
        dict(type='LoadMask'),
        dict(type='LoadSaliency'),
        dict(type='RandomCropPad', crop_size=(48, 48), pad_val=(0, 0, 0)),
        dict(type='PackWeakInputs')
    ]
    options = {
        'train_cfg.max_iters': 2,
        'model.backbone.depth': 18,
        'model.backbone.stem_channels': 8,
        'model.backbone.base_channels': 8,
        'model.backbone.init_cfg': None,
        'model.decode_head.in_channels': (8, 8, 16, 32, 64),
        'model.decode_head.num_classes': 7,
        'model.decode_head.loss_decode.radius': 3,
    }
    if 'auxiliary_head' in cfg.model:
        options |= {
            'model.auxiliary_head.in_channels': 64,
            'model.auxiliary_head.num_classes': 7,
            'model.refine_by': 'saliency',
            'model.saliency_thr': 0.01,
            'model.crf_jobs': 0,
        }
    return shrink(cfg, root, work_dir, batch_size=2, **options)


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
    train(tiny(trained, voc_root, tmp_path / 'train'))
    cfg = tiny(name, voc_root, tmp_path / 'test')
    cfg.test_dataloader.dataset.data_prefix.seg_map_path = str(boundaries)
    cfg.test_evaluator.update(
        matching='distance', num_thresholds=3, thin=False)
    cfg.load_from = str(tmp_path / 'train' / 'iter_2.pth')
    setup_entry_point(cfg)
    scores = Runner.from_cfg(cfg).test()
    assert 0 <= scores['boundary/MF_approx'] <= 100

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import os.path as osp
import shutil

import numpy as np
import pytest
from mmseg.registry import DATASETS

from mmwsss.structures import read_label_names
from mmwsss.utils import project_path, read_config


def load(name, **options):
    return read_config(
        project_path('configs', '_base_', 'datasets', f'{name}_weak.py'), options)


@pytest.fixture
def demo_as(voc_root, tmp_path):
    """Lay the demo scenes out as another data set's config expects."""

    def lay_out(name):
        if name == 'demo':
            return voc_root
        root = shutil.copytree(voc_root, tmp_path / name)
        classes = (root / 'classes.txt').read_text().split()
        if name == 'voc':
            lists = root / 'ImageSets' / 'Segmentation'
            shutil.copy(lists / 'train.txt', lists / 'train_aug.txt')
            # The demo's tags are no VOC classes: a name for a name.
            from mmseg.datasets import PascalVOCDataset
            names = PascalVOCDataset.METAINFO['classes']
            text = (root / 'image_labels.json').read_text()
            for old, new in zip(classes[1:], names[1:], strict=False):
                text = text.replace(f'"{old}"', f'"{new}"')
            (root / 'image_labels.json').write_text(text)
            return root
        (root / 'JPEGImages').rename(root / 'photos')
        (root / 'SegmentationClass').rename(root / 'masks')
        table = read_label_names(str(root / 'image_labels.json'))
        (root / 'tags.csv').write_text('\n'.join(
            ','.join([f'{i}.jpg', *tags]) for i, tags in table.items()))
        return root

    return lay_out


@pytest.mark.parametrize('name', ['demo', 'voc', 'folder'])
def test_config(name, demo_as):
    cfg = load(name, data_root=str(demo_as(name)))
    train = DATASETS.build(cfg.train_dataloader.dataset)
    sample = train[0]
    assert sample['inputs'].shape == (3, *cfg.crop_size)
    assert 'gt_sem_seg' not in sample['data_samples']
    assert sample['data_samples'].image_labels[1:].any()
    assert len(train) == (12 if name == 'folder' else 8)

    val = DATASETS.build(cfg.val_dataloader.dataset)[0]
    assert val['inputs'].shape == (3, 64, 64)
    assert val['data_samples'].gt_sem_seg.data.shape == (1, 64, 64)

    seeds = DATASETS.build(cfg.seed_dataloader.dataset)[0]
    sides = [64, 64, 32, 32, 96, 96, 128, 128]
    assert [tuple(i.shape) for i in seeds['inputs']
            ] == [(3, side, side) for side in sides]
    flips = [s.flip for s in seeds['data_samples']]
    assert flips == [False, True] * 4
    for plain, flipped in zip(
            seeds['inputs'][::2], seeds['inputs'][1::2], strict=True):
        assert np.array_equal(plain.flip(2), flipped)
    for sample in seeds['data_samples']:
        assert 'gt_sem_seg' not in sample
        assert sample.ori_shape == (64, 64)
        assert sample.image_labels[1:].any()


@pytest.mark.parametrize('name', ['demo', 'voc', 'folder', 'coco'])
def test_common_shape(name):
    cfg = load(name, **dict(classes=['owl']) if name == 'folder' else {})
    for loader in ('train', 'val', 'test', 'seed'):
        assert cfg[f'{loader}_dataloader'].dataset.type == cfg.dataset_type
    sampler = cfg.train_dataloader.sampler
    assert sampler.type == 'ReproducibleInfiniteSampler'
    assert cfg.train_pipeline[0].type == 'SeedAugmentation'
    for loader in ('train_dataloader', 'seed_dataloader'):
        assert 'with_masks' not in cfg[loader].dataset
        assert 'seg_map_path' not in cfg[loader].dataset.data_prefix
    assert not osp.isabs(cfg.data_root)

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from mmengine.config import Config

from mmwsss.recipes.config_data import data_paths
from mmwsss.utils import set_data_root


def make_config(weights):
    train = dict(
        type='A', data_root='voc/', ann_file='train.txt', label_file='tags.json',
        data_prefix=dict(img_path='photos', seg_map_path='/masks'), pipeline=[])
    repeated = dict(type='RepeatDataset', dataset=dict(train, ann_file='val.txt'))
    own = dict(type='B', data_root='own', label_file='tags.csv')
    return Config(
        dict(
            train_dataloader=dict(dataset=train),
            val_dataloader=dict(dataset=dict(type='C', datasets=[repeated, own])),
            load_from=weights,
            model=dict(init_cfg=dict(checkpoint='torchvision://resnet50'))))


def test_data_paths(tmp_path):
    weights = tmp_path / 'w.pth'
    weights.write_text('')
    assert data_paths(make_config(str(weights))._cfg_dict) == [
        'voc/train.txt', 'voc/tags.json', 'voc/photos', '/masks', 'voc/val.txt',
        'own/tags.csv', 'own', str(weights)]


def test_set_data_root():
    cfg = make_config(None)
    set_data_root(cfg._cfg_dict, '/data')
    assert data_paths(cfg._cfg_dict) == [
        '/data/train.txt', '/data/tags.json', '/data/photos', '/masks',
        '/data/val.txt', '/data/tags.csv', '/data']
    dataset = cfg.val_dataloader.dataset.datasets[0].dataset
    assert dataset.data_root == '/data' and dataset.ann_file == 'val.txt'

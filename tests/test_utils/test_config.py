# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from mmwsss.utils import read_config


def test_data_root_reaches_every_dataset(tmp_path):
    path = tmp_path / 'config.py'
    path.write_text('''
data_root = 'data/a'
train_dataloader = dict(dataset=dict(data_root=data_root))
val_dataloader = dict(dataset=dict(datasets=[dict(data_root=data_root)]))
''')
    key = 'train_dataloader.dataset.data_root'
    assert read_config(path).train_dataloader.dataset.data_root == 'data/a'
    cfg = read_config(path, dict(data_root='b'))
    assert cfg.train_dataloader.dataset.data_root == 'b'
    assert cfg.val_dataloader.dataset.datasets[0].data_root == 'b'
    cfg = read_config(path, {'data_root': 'b', key: 'c'})
    assert cfg.train_dataloader.dataset.data_root == 'c'
    assert cfg.val_dataloader.dataset.datasets[0].data_root == 'b'

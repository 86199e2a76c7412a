# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import pytest

from mmwsss.apis import WSSSInferencer
from mmwsss.recipes import Recipe
from mmwsss.utils import load_config, project_path, read_config


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


FOLDER_CONFIGS = ['cam/cam_folder.py', 'esol/esol_folder.py',
                  'deeplab/deeplabv2_folder.py']


@pytest.mark.parametrize('name', FOLDER_CONFIGS)
def test_classes_come_from_the_data(name, tmp_path):
    (tmp_path / 'classes.txt').write_text('owl\nfox\nelk\n')
    path = project_path('configs', *name.split('/'))
    cfg = read_config(path, dict(data_root=str(tmp_path)))
    assert cfg.classes == ['background', 'owl', 'fox', 'elk']
    assert cfg.model.decode_head.num_classes == 4
    for loader in ('train', 'val', 'test', 'seed'):
        if f'{loader}_dataloader' in cfg:
            assert cfg[f'{loader}_dataloader'].dataset.classes == cfg.classes
    with pytest.raises(FileNotFoundError,
                       match='class list .*none/classes.txt does not exist'):
        read_config(path, dict(data_root=str(tmp_path / 'none')))


def test_classes_by_name(tmp_path):
    base = project_path('configs', 'esol', 'esol_folder.py')
    cfg = read_config(base, dict(classes=['owl', 'fox']))
    assert cfg.train_dataloader.dataset.classes == ['background', 'owl', 'fox']
    assert cfg.model.decode_head.num_classes == 3
    own = tmp_path / 'own.py'
    own.write_text(f"_base_ = {base!r}\nclasses = ('background', 'owl')")
    cfg = read_config(own)
    assert cfg.val_dataloader.dataset.classes == ['background', 'owl']
    assert cfg.model.decode_head.num_classes == 2


def test_fixed_classes():
    path = project_path('configs', 'cam', 'cam_r50_voc.py')
    assert read_config(path).model.decode_head.num_classes == 21
    with pytest.raises(ValueError, match='fixed classes'):
        read_config(path, dict(classes=['owl']))


@pytest.mark.parametrize('read', [
    load_config, read_config, Recipe, lambda path: WSSSInferencer(path, 'x.pth')])
def test_yaml_runs_nothing(tmp_path, read):
    """PyYAML's unsafe loader, which mmengine takes, would make the file."""
    evil = tmp_path / 'evil.yaml'
    evil.write_text(f'a: !!python/object/apply:os.mkdir ["{tmp_path / "made"}"]\n')
    with pytest.raises(ValueError, match=r'evil.yaml: .* Python files \(.py\)'):
        read(str(evil))
    assert not (tmp_path / 'made').exists()
    with pytest.raises(FileNotFoundError, match='none.py'):
        read(str(tmp_path / 'none.py'))


def test_a_path_is_one_of_the_current_folder(tmp_path, monkeypatch):
    """Where it is not there, it is one below data_root, as ever."""
    config = tmp_path / 'config.py'
    config.write_text("train_dataloader = dict(dataset=dict("
                      "ann_file='', data_prefix=dict(img_path='photos')))")
    (tmp_path / 'lists').mkdir()
    (tmp_path / 'lists' / 'a.txt').touch()
    monkeypatch.chdir(tmp_path)
    key = 'train_dataloader.dataset'
    dataset = read_config(str(config), {
        f'{key}.ann_file': 'lists/a.txt', f'{key}.data_prefix.img_path': 'lists',
    }).train_dataloader.dataset
    assert dataset.ann_file == str(tmp_path / 'lists' / 'a.txt')
    assert dataset.data_prefix.img_path == str(tmp_path / 'lists')
    dataset = read_config(str(config), {
        f'{key}.ann_file': 'lists/b.txt'}).train_dataloader.dataset
    assert dataset.ann_file == 'lists/b.txt'

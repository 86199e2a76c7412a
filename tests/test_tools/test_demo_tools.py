# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""The demo and the plotting tools, as one runs them."""

import json
import os.path as osp
import runpy
import sys

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS
from PIL import Image

ROOT = osp.dirname(osp.dirname(osp.dirname(osp.abspath(__file__))))
BROWSE = 'tools/analysis_tools/browse_dataset.py'
OFFSETS = 'tools/analysis_tools/plot_offsets.py'


@pytest.fixture
def run(monkeypatch, capsys):
    """Run a script of the checkout in this process; its standard output."""

    def run(script, *args):
        monkeypatch.setattr(sys, 'argv', [script, *map(str, args)])
        script = runpy.run_path(osp.join(ROOT, script))
        script['main'](script['parse_args']())
        return capsys.readouterr().out

    return run


@pytest.fixture
def image(tmp_path):
    path = tmp_path / 'photo.png'
    pixels = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture
def esol(tmp_path):
    """Config and checkpoint of a tiny model with offsets of (1, 1)."""
    cfg = Config(
        dict(
            custom_imports=dict(imports=['mmwsss'], allow_failed_imports=False),
            default_scope='mmseg',
            model=dict(
                type='WeakSegmentor',
                data_preprocessor=dict(
                    type='SegDataPreProcessor', mean=[0] * 3, std=[255] * 3),
                backbone=dict(
                    type='ResNet',
                    depth=18,
                    base_channels=4,
                    num_stages=4,
                    out_indices=(0, 1, 2, 3),
                    strides=(1, 2, 1, 1),
                    dilations=(1, 1, 1, 1)),
                decode_head=dict(type='ESOLHead', in_channels=32, num_classes=3),
                test_cfg=dict(mode='whole')),
            test_pipeline=[
                dict(type='LoadPILImage'),
                dict(type='PackWeakInputs')
            ]))
    config = tmp_path / 'esol.py'
    cfg.dump(str(config))
    init_default_scope('mmseg')
    model = MODELS.build(cfg.model)
    for conv in (model.decode_head.conv_1, model.decode_head.conv_2):
        conv.conv_offset.bias.data.fill_(1.)

    def save(stage):
        meta = dict(
            stage=stage,
            dataset_meta=dict(
                classes=('background', 'cat', 'dog'),
                palette=[[0, 0, 0], [64, 0, 0], [64, 0, 128]]))
        path = tmp_path / f'stage_{stage}.pth'
        torch.save(dict(meta=meta, state_dict=model.state_dict()), path)
        return path

    return config, save


def test_image_demo(run, esol, image, tmp_path):
    config, save = esol
    out = tmp_path / 'results'
    printed = run('demo/image_demo.py', image, config, save('expand'), '--out-dir',
                  out, '--tags', 'dog', '--device', 'cpu')
    assert 'photo: dog' in printed and '1 photo(s)' in printed
    names = {str(p.relative_to(out)) for p in out.rglob('*') if p.is_file()}
    assert names == {
        'masks/photo.png', 'overlays/photo.jpg', 'cams/photo/dog.jpg',
        'photos.json', 'scores.json'
    }
    with Image.open(out / 'masks' / 'photo.png') as mask:
        assert mask.size == (64, 48)
        assert set(np.unique(np.asarray(mask))) <= {0, 2}


def test_offset_maps(run, esol, image, tmp_path):
    config, save = esol
    out = tmp_path / 'offsets'
    printed = run(OFFSETS, 'maps', config, save('shrink'), image, '--out-dir', out,
                  '--device', 'cpu')
    assert printed.count('mean 1.414') == 2
    for layer in ('conv_1', 'conv_2'):
        with Image.open(out / f'photo_{layer}.png') as drawn:
            assert drawn.size == (3 * 64, 48)
    with pytest.raises(ValueError, match='stage classify.*no offsets'):
        run(OFFSETS, 'maps', config, save('classify'), image, '--out-dir', out,
            '--device', 'cpu')


def test_offset_curves(run, tmp_path):
    for number in range(2):  # a run and its continuation
        log = tmp_path / f'2026010{number}' / 'vis_data' / 'scalars.json'
        log.parent.mkdir(parents=True)
        lines = [{'loss': 1., 'offset/conv_1_mean': i / 10, 'step': i}
                 for i in range(3 * number, 3 * number + 5)]
        log.write_text('\n'.join(map(json.dumps, lines)) + '\n')
    run(OFFSETS, 'curves', tmp_path, '--out', tmp_path / 'curves.png')
    with Image.open(tmp_path / 'curves.png') as image:
        assert min(image.size) > 100
    with pytest.raises(FileNotFoundError, match='none holds no'):
        run(OFFSETS, 'curves', tmp_path / 'none')


def browse_config(path, root, **dataset):
    loaders = [dict(type='SetRandomState'), dict(type='LoadPILImage')]
    if dataset.get('with_masks'):
        loaders.append(dict(type='LoadMask'))
    Config(
        dict(
            custom_imports=dict(imports=['mmwsss'], allow_failed_imports=False),
            default_scope='mmseg',
            randomness=dict(seed=0),
            train_dataloader=dict(
                sampler=dict(type='ReproducibleInfiniteSampler', shuffle=True),
                dataset=dict(
                    type='WeakDemoDataset',
                    data_root=str(root),
                    ann_file='ImageSets/Segmentation/train.txt',
                    label_file='image_labels.json',
                    pipeline=[
                        *loaders,
                        dict(type='RandomResizeLong', min_long=40, max_long=60),
                        dict(type='RandomFlip', prob=0.5),
                        dict(type='RandomCropPad', crop_size=56),
                        dict(type='PackWeakInputs')
                    ],
                    **dataset)))).dump(str(path))
    return path


@pytest.mark.parametrize('with_masks', [False, True])
def test_browse_dataset(run, voc_root, tmp_path, with_masks):
    config = browse_config(
        tmp_path / 'browse.py', voc_root, with_masks=with_masks)
    pictures = []
    for name in ('one', 'two'):
        out = tmp_path / name
        assert '5 of 8 samples' in run(BROWSE, config, '--out-dir', out, '--num', 5)
        pictures.append([path.read_bytes() for path in sorted(out.iterdir())])
    assert len(pictures[0]) == 5
    assert pictures[0] == pictures[1], 'the same pictures each time'
    with Image.open(sorted((tmp_path / 'one').iterdir())[0]) as image:
        assert image.size == (56 * (1 + with_masks), 56)
    with pytest.raises(SystemExit):
        run(BROWSE, config, '--num', 0)


def test_browse_draws_the_tags(run, voc_root, tmp_path, monkeypatch):
    """The names drawn are the labels of the image drawn."""
    drawn = []
    import mmwsss.visualization as visualization
    original = visualization.draw_tags

    def record(image, names, colors):
        drawn.append(sorted(names))
        return original(image, names, colors)

    monkeypatch.setattr(visualization, 'draw_tags', record)
    config = browse_config(tmp_path / 'browse.py', voc_root)
    out = tmp_path / 'out'
    run(BROWSE, config, '--out-dir', out, '--num', 8)
    table = json.loads((voc_root / 'image_labels.json').read_text())
    stems = [path.stem.split('_', 1)[1] for path in sorted(out.iterdir())]
    assert len(set(stems)) == 8
    assert drawn == [sorted(table[stem]) for stem in stems]


def test_tag_quality(run, tmp_path):
    said = run('demo/tag_quality.py', '--out', tmp_path, '--num-train', 16,
               '--max-iters', 1, '--rows', 2)
    lines = [line for line in said.splitlines() if 'of the wasps is moth' in line]
    assert [line.split(': ')[1].split()[0] for line in lines] == ['16'] * 3
    width, height = Image.open(tmp_path / 'tag_quality.jpg').size
    assert width == 4 * 192 and height in (192 + 20, 2 * 192 + 20)

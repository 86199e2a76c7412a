# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""The table of self-training on cached features, tiny and with random weights."""

import json

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from tool_runner import load_tool

NAMES = ['a', 'b', 'c', 'd', 'e', 'f']
TAGS = dict(a=['cat'], b=['dog'], c=['cat', 'dog'], d=['dog'], e=['cat'], f=['dog'])


@pytest.fixture(scope='module')
def tool():
    return load_tool('analysis_tools/self_training_table')


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp('animals')
    lists = root / 'ImageSets' / 'Segmentation'
    for folder in (lists, root / 'JPEGImages', root / 'SegmentationClass'):
        folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for i, name in enumerate(NAMES):
        height, width = 40 + i, 64 - i
        Image.fromarray(rng.integers(0, 256, (height, width, 3), np.uint8)).save(
            root / 'JPEGImages' / f'{name}.jpg')
        mask = np.zeros((height, width), np.uint8)
        mask[5:25, 8:30] = 1 + (TAGS[name][0] == 'dog')
        mask[5] = 255
        Image.fromarray(mask).save(root / 'SegmentationClass' / f'{name}.png')
    (lists / 'train.txt').write_text('a\nb\nc\nd\n')
    (lists / 'val.txt').write_text('e\nf\n')
    (lists / 'choose.txt').write_text('c\n')
    (root / 'classes.txt').write_text('background\ncat\ndog\n')
    (root / 'image_labels.json').write_text(json.dumps(TAGS))
    torch.manual_seed(0)
    network = timm.create_model(
        'mobilenetv1_100', features_only=True, output_stride=16)
    # Statistics that fit random weights, whose features would vanish or overflow.
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.
    with torch.no_grad():
        network(torch.randn(4, 3, 64, 64))
    torch.save(network.state_dict(), root / 'weights.pth')
    return root


def arguments(tool, monkeypatch, root, *more):
    monkeypatch.setattr('sys.argv', [
        'table', str(root), '--choose', 'ImageSets/Segmentation/choose.txt', '--out',
        str(root / 'out'), '--weights', str(root / 'weights.pth'), '--components', '8',
        '--size', '64', '--rounds', '1', '--iters', '2', '3', '--classifier-iters',
        '2', *more
    ])
    return tool.parse_args()


def test_table(tool, root, monkeypatch, capsys):
    tool.main(arguments(tool, monkeypatch, root, '--extras', '--seeds', '0', '1'))
    printed = capsys.readouterr().out
    runs = [json.loads((root / 'out' / f'scores_{seed}.json').read_text())
            for seed in (0, 1)]
    assert [*runs[0]] == [*runs[1]] and runs[0] != runs[1]
    assert [name for name in runs[0] if name.startswith('train')] == [
        'train: class maps', 'train: class maps + CRF', 'train: round 1',
        'train: round 1 + CRF']
    for name, row in runs[0].items():
        assert f'{name} ' in printed
        assert 0 <= row['choose'] <= 100 and 0 <= row['mIoU'] <= 100
    # What is there is not made again.
    monkeypatch.setattr(tool.Run, 'scores', None)
    tool.main(arguments(tool, monkeypatch, root, '--seeds', '0'))


def test_geometry(tool, root):
    photos = tool.Photos(str(root), 'ImageSets/Segmentation/choose.txt', 64)
    assert (photos.fit, photos.choose, [*photos.val]) == ([0, 1, 3], [2], [4, 5])
    # Photo 2 is 42 x 62: what is mirrored twice is as before, columns outside stay.
    maps = torch.arange(64.).expand(2, 32, 64)
    mirrored = photos.mirrored(2, maps, 1)
    assert mirrored[0, 0, :62].tolist() == [*range(61, -1, -1)]
    assert torch.equal(mirrored[..., 62:], maps[..., 62:])
    assert torch.equal(photos.mirrored(2, mirrored, 1), maps)
    assert photos.at_photo(2, torch.rand(3, 4, 4)).shape == (3, 42, 62)


@pytest.mark.parametrize('choose, size, message', [
    ('val.txt', 64, 'names photos that train.txt lacks'),
    ('choose.txt', 48, 'a is larger than --size 48')])
def test_what_is_refused(tool, root, choose, size, message):
    with pytest.raises(ValueError, match=message):
        tool.Photos(str(root), f'ImageSets/Segmentation/{choose}', size)

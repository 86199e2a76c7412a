# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""The tables on cached features, tiny and with random weights."""

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
def esol():
    return load_tool('analysis_tools/esol_table')


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


def arguments(tool, monkeypatch, root, name, *more):
    monkeypatch.setattr('sys.argv', [
        'table', str(root), '--choose', 'ImageSets/Segmentation/choose.txt', '--out',
        str(root / name), '--features', str(root / 'features.pt'), '--weights',
        str(root / 'weights.pth'), '--components', '8', '--size', '64',
        '--classifier-iters', '2', *more
    ])
    return tool.parse_args()


@pytest.mark.parametrize('name, options, rows', [
    ('self_training', ('--rounds', '1', '--iters', '2', '3', '--extras'),
     ['train: class maps', 'train: round 1 + CRF', 'val: DeepLab on all masks']),
    ('esol', ('--stage-iters', '2', '--width', '4'),
     ['classify', 'free offsets: ascent, 8 steps', 'expand to 1 cell, shrink'])])
def test_table(request, root, monkeypatch, capsys, name, options, rows):
    tool = load_tool(f'analysis_tools/{name}_table')
    tool.main(arguments(tool, monkeypatch, root, name, *options, '--seeds', '0', '1'))
    printed = capsys.readouterr().out
    runs = [json.loads((root / name / f'scores_{seed}.json').read_text())
            for seed in (0, 1)]
    assert [*runs[0]] == [*runs[1]] and runs[0] != runs[1]
    assert {*rows} <= {*runs[0]}
    for row, scores in runs[0].items():
        assert f'{row} ' in printed
        assert 0 <= scores['mIoU'] <= 100 and 0 <= scores['recall'] <= 100
    # What is there is not made again.
    monkeypatch.setattr(tool.Run, 'scores', None)
    tool.main(arguments(tool, monkeypatch, root, name, '--seeds', '0'))


def test_parts_and_picture_of_esol(esol, root, monkeypatch, capsys):
    esol.main(arguments(
        esol, monkeypatch, root, 'oracle', '--stage-iters', '1', '--width', '4',
        '--seeds', '0', '--parts', 'oracle', '--plot', str(root / 'recalls.png')))
    printed = capsys.readouterr().out
    assert 'free offsets' in printed and 'shrink' not in printed
    with Image.open(root / 'recalls.png') as image:
        assert image.size == (640, 380)


def test_enlarged_photos(tool, root, monkeypatch):
    """The grid grows with the photos, scores stay at the size of the masks."""
    args = arguments(tool, monkeypatch, root, 'large', '--enlarge', '2')
    args.features = str(root / 'large.pt')
    photos = tool.Photos(str(root), args.choose, args.size, args.enlarge)
    features = load_tool('analysis_tools/frozen_features').load_features(photos, args)
    assert features.shape == (6, 2, 8, 8, 8)
    assert photos.covered(0, 16) == (5, 8)
    assert (features[0, :, :, 5:] == 0).all() and (features[0, :, :, 4] != 0).any()
    assert photos.at_photo(0, features[0, 0]).shape[1:] == photos.mask(0).shape


@pytest.fixture
def run(esol, root, monkeypatch):
    args = arguments(esol, monkeypatch, root, 'run', '--width', '4')
    photos = esol.Photos(str(root), args.choose, args.size)
    torch.manual_seed(0)
    return esol.Run(photos, torch.randn(6, 2, 8, 4, 4), 0, args)


def test_offsets_of_zero_are_the_plain_layers(run):
    head, x = run.make_head(), run.features[:2, 0]
    zero = torch.zeros(2, 18, 4, 4)
    plain = head((x, )).maps
    torch.testing.assert_close(run.sampled(head, x, None, zero, zero), plain)
    head.switch_stage('shrink')
    torch.testing.assert_close(run.sampled(head, x, 0.15, zero, zero), head((x, )).maps)


def test_offsets_climb(esol, run, monkeypatch):
    """Each photo's kernel points move by STEP in the mean, up their own slope."""
    # So short that nothing comes to FARTHEST.
    monkeypatch.setattr(esol, 'STEP', 0.03)
    head, x = run.make_head(), run.features[:3, 0]

    def loss(maps):
        return maps.square().sum()

    fields = run.climb(loss, lambda o: run.sampled(head, x, None, o), x, 3)
    moved = (fields[1] - fields[0]).unflatten(1, (-1, 2)).norm(dim=2).mean((1, 2, 3))
    torch.testing.assert_close(moved, torch.full((3, ), esol.STEP))
    down = run.climb(lambda maps: -loss(maps), lambda o: run.sampled(head, x, None, o),
                     x, 3)
    low, middle, high = (float(loss(run.sampled(head, x, None, field).detach()))
                         for field in (down[-1], fields[0], fields[-1]))
    assert low < middle < high


def test_threshold_scores(run):
    """Against the confusion of all classes, one threshold at a time."""
    seeds = {n: torch.rand(2, 4, 4) * run.photos.tags[n][:, None, None]
             for n in (0, 1, 2)}
    scores = run.threshold_scores(seeds.__getitem__, (0, 1, 2))
    for i in (0, 30, 78):
        confusion = np.zeros((3, 3))
        for n in (0, 1, 2):
            best, label = run.photos.at_photo(n, seeds[n]).max(0)
            label = torch.where(best > (i + 1) / 100, label + 1, 0)
            truth = run.photos.mask(n)
            np.add.at(confusion, (truth[truth < 255], label[truth < 255]), 1)
        recall = np.diag(confusion) / confusion.sum(1)
        assert scores[i]['recall'] == pytest.approx(recall.mean() * 100)


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

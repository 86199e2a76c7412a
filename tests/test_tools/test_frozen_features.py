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
def gate():
    return load_tool('analysis_tools/gate_table')


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
        str(root / 'weights.pth'), '--size', '64', '--classifier-iters', '2', *more
    ])
    return tool.parse_args()


@pytest.mark.parametrize('name, options, rows', [
    ('self_training',
     ('--rounds', '1', '--iters', '2', '3', '--extras', '--components', '8'),
     ['train: class maps', 'train: round 1 + CRF', 'val: DeepLab on all masks']),
    ('esol', ('--stage-iters', '2', '--width', '4', '--components', '8'),
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


def gate_arguments(gate, monkeypatch, root, name, *more):
    return arguments(
        gate, monkeypatch, root, name, '--features', str(root / 'views.pt'),
        '--photos', '3', '--views', '2', '--crop', '64', '--test-size', '64',
        '--channels', '4', '--pretrain-iters', '1', '--self-iters', '1', *more)


@pytest.fixture
def gate_run(gate, root, monkeypatch):
    args = gate_arguments(gate, monkeypatch, root, 'gate_run')
    photos = gate.Photos(str(root), args.choose, args.size)
    return gate.Run(photos, gate.load_views(photos, args), 0, args)


def test_gate_table(gate, root, monkeypatch, capsys):
    gate.main(gate_arguments(gate, monkeypatch, root, 'gate', '--seeds', '0'))
    printed = capsys.readouterr().out
    rows = json.loads((root / 'gate' / 'scores_0.json').read_text())
    assert [*rows] == [
        'after pretrain, gate, rate 0.5', 'gate, rate 0.5, 1 x', 'gate, rate 0.5, 3 x',
        'after pretrain, no gate', 'no gate, 1 x', 'no gate, 3 x',
        'gate, rate 0.3, 1 x', 'deterministic gate, rate 0.5, 1 x']
    for row, scores in rows.items():
        assert f'{row} ' in printed
        assert all(0 <= scores[key] <= 100 for key in ('mIoU', 'seen', 'unseen'))
        assert 'pretrain' not in row or scores['decided'] == 0
    # What is there is not made again, but for the row that is missing.
    made = []
    del rows['gate, rate 0.3, 1 x']
    (root / 'gate' / 'scores_0.json').write_text(json.dumps(rows))
    monkeypatch.setattr(gate.Run, 'learn', lambda self, blocks, head, ends: (
        made.append((head.gate.rate, ends))))
    gate.main(gate_arguments(gate, monkeypatch, root, 'gate', '--seeds', '0'))
    assert made == [(0.3, [(1, 'gate, rate 0.3, 1 x')])]


def test_parts_are_the_network(gate, root, monkeypatch):
    """The frozen blocks and those that learn, one after the other, are timm's."""
    args = gate_arguments(gate, monkeypatch, root, 'parts', '--learnt', '3')
    near, far, last, _, _ = gate.split_network(args)
    network = gate.load_network(args)[0]
    assert len(last) == 3
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        expected = network(x)
        shallow = near(x)
        torch.testing.assert_close(shallow, expected[2])
        torch.testing.assert_close(last(far(shallow)), expected[4])


def test_rows_differ_in_the_gate_only(gate, gate_run):
    heads = {name: gate_run.make_head(options) for name, options in gate.GATES.items()}
    first = heads['0.5'].state_dict()
    for name, head in heads.items():
        assert all(torch.equal(one, first[key])
                   for key, one in head.state_dict().items())
        learnt = {key.split('.')[0] for key, one in head.named_parameters()
                  if one.requires_grad}
        assert ('enrich' in learnt) == (name != 'none')
    # The longer run begins with the batches of the shorter one.
    assert gate_run.some(5)[:2] == gate_run.some(2)


def test_powers_of_the_background(gate_run):
    """Against the predictions of a head that has the power itself."""
    blocks, head = gate_run.classified(), gate_run.make_head(dict(rate=0.5)).eval()
    settings = [(thr, power) for thr in (None, 0.3) for power in (1., 2.)]
    found = gate_run.confusions(blocks, head, (2, 4), settings)
    head.bg_power, head.score_thr = 2., 0.3
    for thr in (None, 0.3):
        confusion = np.zeros((3, 3))
        for n in (2, 4):
            shallow, deep = (one.float() for one in gate_run.views['whole'][n])
            with torch.no_grad():
                scores = head.predict((shallow, blocks(deep)), [
                    gate_run.meta(n, thr is None)], {})[0]
            truth = gate_run.photos.mask(n)[::2, ::2]
            label = scores.argmax(0)
            np.add.at(confusion, (truth[truth < 255], label[truth < 255]), 1)
        recall = np.diag(confusion) / confusion.sum(1)
        assert found[thr, 2.]['recall'] == pytest.approx(
            np.nanmean(recall) * 100, abs=1e-3)


@pytest.mark.parametrize('options, message', [
    (('--crop', '32'), 'was made with other options'),
    (('--learnt', '8'), '--learnt must be below 8, got 8'),
    (('--model', 'resnet18', '--weights', ''), 'resnet18 is no sequence of blocks')])
def test_what_the_gate_table_refuses(gate, gate_run, root, monkeypatch, options,
                                     message):
    args = gate_arguments(gate, monkeypatch, root, 'gate_run', *options)
    with pytest.raises(ValueError, match=message):
        gate.load_views(gate_run.photos, args)

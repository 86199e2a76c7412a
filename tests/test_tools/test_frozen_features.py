# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""The tables on cached features, tiny and with random weights."""

import json

import numpy as np
import pytest
import timm
import torch
from mmseg.structures import SegDataSample
from PIL import Image
from tool_runner import load_tool

NAMES = ['a', 'b', 'c', 'd', 'e', 'f']
TAGS = dict(a=['cat'], b=['dog'], c=['cat', 'dog'], d=['dog'], e=['cat'], f=['dog'])


@pytest.fixture(scope='module')
def shared():
    return load_tool('analysis_tools/frozen_features')


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


def arguments(tool, monkeypatch, root, name, *more, whole=('--components', '8')):
    monkeypatch.setattr('sys.argv', [
        'table', str(root), '--choose', 'ImageSets/Segmentation/choose.txt', '--out',
        str(root / name), '--features', str(root / 'features.pt'), '--weights',
        str(root / 'weights.pth'), '--size', '64', '--classifier-iters', '2', *whole,
        *more
    ])
    return tool.parse_args()


@pytest.mark.parametrize('name, options, rows', [
    ('self_training', ('--rounds', '1', '--iters', '2', '3', '--extras'),
     ['train: class maps', 'train: round 1 + CRF', 'val: DeepLab on all masks']),
    ('esol', ('--stage-iters', '2', '--width', '4'),
     ['classify', 'free offsets: ascent, 8 steps', 'expand to 1 cell, shrink']),
    ('fsae', ('--iters', '2', '--width', '4', '--images', '2'),
     ['ESOL: base', 'ESOL: + FAE', 'CAM: + FAE + SAE'])])
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
    record = root / name / 'options.json'
    # An option by the name that it had before.
    record.write_text(record.read_text().replace('"images"', '"photos"'))
    tool.main(arguments(tool, monkeypatch, root, name, *options, '--seeds', '0'))
    with pytest.raises(ValueError, match='were made with classifier_iters 2, not 3'):
        tool.main(arguments(tool, monkeypatch, root, name, *options,
                            '--classifier-iters', '3'))


@pytest.fixture(scope='module')
def sance():
    return load_tool('analysis_tools/sance_table')


SANCE = ('--crop', '64', '--long', '48', '64', '--views', '2', '--images', '3',
         '--scored', '2', '--iters', '2', '--points', '1', '2')


@pytest.fixture(scope='module')
def table(sance, root):
    """SANCE's table, whose crops and features are there."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        return sance.Table(arguments(sance, monkeypatch, root, 'sance', *SANCE))


def test_sance_table(sance, table, root, monkeypatch, capsys):
    args = arguments(
        sance, monkeypatch, root, 'sance', *SANCE, '--seeds', '0', '1', '--rows',
        'none', 'sance', '--plot', str(root / 'curves.png'))
    # The one of the fixture has read the same features.
    monkeypatch.setattr(sance, 'Table', lambda args: table)
    sance.main(args)
    printed = capsys.readouterr().out
    runs = {(row, seed): json.loads((root / 'sance' / f'{row}_{seed}.json').read_text())
            for row in args.rows for seed in (0, 1)}
    assert runs['sance', 0] != runs['sance', 1]
    for (row, _), run in runs.items():
        assert f'{sance.ROWS[row][0]} ' in printed
        assert [point['iter'] for point in run['points']] == [1, 2]
        for point in run['points']:
            assert 0 <= point['mIoU'] <= 100 and 0 <= point['online']['right'] <= 100
        # The baseline's curve takes the contours of one row.
        assert ('walked_cam' in run['points'][0]) == (row == 'none')
        assert 'walked_cam' in run['points'][1]
        assert all(0 <= cost <= 100 for cost in run['criteria'].values())
        assert run['masks']['right'] == 100
    assert sance.BASELINE in printed
    with Image.open(root / 'curves.png') as image:
        assert image.size == (640, 380)
    # What is there is not made again.
    monkeypatch.setattr(sance, 'Table', None)
    sance.main(args)
    assert capsys.readouterr().out == printed[printed.index('mIoU after'):]


def test_crops_of_sances_table(table, monkeypatch):
    """A mask is cut as its image is, and 255 where there is none."""
    monkeypatch.setattr(table.images, 'image', lambda n: torch.arange(
        62, dtype=torch.uint8).ge(20).mul(255).byte().expand(3, 42, 62))
    mask = torch.arange(62).ge(20).byte().expand(42, 62)
    flipped = set()
    for number in range(6):
        crop, cut = table.crop(number), table.crop(number, mask)
        x1, y1, x2, y2 = crop['box']
        inside = torch.zeros(64, 64, dtype=torch.bool)
        inside[y1:y2, x1:x2] = True
        assert torch.equal(cut != 255, inside)
        assert (crop['image'][:, ~inside] == 127).all()
        bright = crop['image'][0] > 127
        assert (bright == (cut == 1))[inside].float().mean() > 0.95
        flipped.add(bool(cut[inside][0]))
    assert flipped == {True, False}


def test_seeds_of_sances_table(sance, table):
    """They are what SANCE predicts."""
    torch.manual_seed(0)
    model = table.make_model(sance.ROWS['sance'][1]).eval()
    n = table.scored[0]
    with torch.no_grad():
        ours = table.seed(model, n)
        sample = SegDataSample(metainfo=dict(
            ori_shape=table.images.sizes[n], img_shape=table.images.sizes[n],
            **table.tags(n)))
        theirs, = model.predict(torch.zeros(1, 3, *table.images.sizes[n]), [sample])
        torch.testing.assert_close(ours.scores, theirs.seed.scores)
        # The CAM of one class everywhere stays so, divided by its maximum.
        walked = table.seed(model, n, torch.ones(2, 4, 4))
    assert walked.labels.equal(ours.labels) and not walked.scores.equal(ours.scores)
    assert walked.scores.max() == 1


def test_quality_of_sances_labels(table):
    """Against counts of single pixels."""
    generator = torch.Generator().manual_seed(0)
    numbers = [0, 1, 4]
    made = [torch.randint(0, 3, (16, 16), generator=generator) for _ in numbers]
    labels = [torch.randint(0, 3, (64, 64), generator=generator) for _ in range(6)]
    labels = [one.masked_fill(one == 2, 255) for one in labels]
    counted = {True: [], False: []}
    foreground = []
    for i, one in zip(numbers, made, strict=True):
        # Cells stand for the third of four pixels.
        truth, label = (many[i][2::4, 2::4] for many in (table.truth, labels))
        for made_one, true, given in zip(one.flatten(), truth.flatten(),
                                         label.flatten(), strict=True):
            if true != 255:
                counted[bool(given != 255)].append(bool(made_one == true))
                foreground.append(bool(made_one > 0))
    quality = table.quality(numbers, made, labels)
    both = counted[True] + counted[False]
    expected = dict(
        right=np.mean(both), right_decided=np.mean(counted[True]),
        right_undecided=np.mean(counted[False]), foreground=np.mean(foreground),
        undecided=len(counted[False]) / len(both))
    assert {key: quality[key] for key in expected} == pytest.approx(
        {key: 100 * one for key, one in expected.items()})


def test_parts_and_picture_of_esol(esol, root, monkeypatch, capsys):
    esol.main(arguments(
        esol, monkeypatch, root, 'oracle', '--stage-iters', '1', '--width', '4',
        '--seeds', '0', '--parts', 'oracle', '--plot', str(root / 'recalls.png')))
    printed = capsys.readouterr().out
    assert 'free offsets' in printed and 'shrink' not in printed
    with Image.open(root / 'recalls.png') as image:
        assert image.size == (640, 380)


def test_enlarged_images(esol, shared, root, monkeypatch):
    """The grid grows with the images, scores stay at the size of the masks."""
    args = arguments(esol, monkeypatch, root, 'large', '--enlarge', '2')
    args.features = str(root / 'large.pt')
    images = esol.Images(str(root), args.choose, args.size, args.enlarge)
    features = shared.load_features(images, args)
    assert features.shape == (6, 2, 8, 8, 8)
    assert images.covered(0, 16) == (5, 8)
    assert (features[0, :, :, 5:] == 0).all() and (features[0, :, :, 4] != 0).any()
    assert images.at_image(0, features[0, 0]).shape[1:] == images.mask(0).shape
    images = esol.Images(str(root), args.choose, args.size)
    with pytest.raises(ValueError, match='holds 6 photos on grids of 8 .* 6 on 4'):
        shared.load_features(images, args)


@pytest.fixture
def run(esol, root, monkeypatch):
    args = arguments(esol, monkeypatch, root, 'run', '--width', '4')
    images = esol.Images(str(root), args.choose, args.size)
    torch.manual_seed(0)
    return esol.Run(images, torch.randn(6, 2, 8, 4, 4), 0, args)


def test_offsets_of_zero_are_the_plain_layers(run):
    head, x = run.make_head(), run.features[:2, 0]
    zero = torch.zeros(2, 18, 4, 4)
    plain = head((x, )).maps
    torch.testing.assert_close(run.sampled(head, x, None, zero, zero), plain)
    head.switch_stage('shrink')
    torch.testing.assert_close(run.sampled(head, x, 0.15, zero, zero), head((x, )).maps)


def test_offsets_climb(esol, run, monkeypatch):
    """Each image's kernel points move by STEP in the mean, up their own slope."""
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


@pytest.fixture
def fsae(shared, root, tmp_path, monkeypatch):
    tool = load_tool('analysis_tools/fsae_table')
    args = arguments(tool, monkeypatch, root, 'unused', '--width', '4', '--iters', '2')
    args.out, args.features = str(tmp_path), str(tmp_path / 'features.pt')
    images = tool.Images(str(root), args.choose, args.size)
    features = shared.load_features(images, args)
    return tool, tool.Run(images, features, 0, args)


def test_views_of_one_basis(fsae, monkeypatch):
    """Strong views that are not changed are the image and its mirror image."""
    from mmwsss.datasets.transforms import StrongView
    tool, run = fsae
    monkeypatch.setattr(StrongView, 'transform', lambda self, results: dict(
        strong_img=results['img']))

    def strong():
        return tool.strong_features(
            run.images, run.args, run.scored, 3, run.features)

    views = strong()
    assert views.shape == (3, 2, tool.VIEWS, 8, 4, 4)
    for view in range(tool.VIEWS):
        torch.testing.assert_close(
            views[:, :, view].float(), run.features[run.scored], rtol=0.01, atol=0.01)
    run.features = -run.features
    with pytest.raises(ValueError, match='have another basis or network; remove them'):
        strong()


def test_base_of_fsae_sees_the_same_images(fsae):
    """Above the threshold of 1 the loss adds nothing, and draws no less."""
    from mmwsss.models.heads import CAMHead
    from mmwsss.models.losses import FSAELoss
    _, run = fsae
    weights = []
    for loss in (None, FSAELoss(threshold=1.1), FSAELoss(threshold=0.)):
        torch.manual_seed(0)
        head = CAMHead(8, 3)
        run.learn(head, 3, run.scored, loss, torch.randn(3, 2, 2, 8, 4, 4).half())
        weights.append(head.classifier.weight.detach())
    # The draw of the views comes after that of the head.
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_online_labels_against_masks(fsae, monkeypatch):
    """Of labels that are the truth all are correct; the search finds them."""
    tool, run = fsae
    numbers = run.images.choose
    truth = torch.stack([run.truth(n, 0) for n in numbers]).long()
    valid = run.inside(numbers)[:, 0]
    shares = run.shares([run.online(numbers, [0], truth, valid, valid)])
    assert shares['covered'] == shares['accuracy'] == shares['object_accuracy'] == 1
    wrong = run.shares([run.online(numbers, [0], truth + 1, valid, valid)])
    assert wrong['accuracy'] == 0 and 0 < wrong['objects'] <= 1
    # Objects are at 9 and the rest below 5: a background between the two is right.
    maps = torch.stack([
        torch.where(truth == k + 1, 9., 5. - 2 * k) for k in range(2)], 1)
    monkeypatch.setattr(run, 'maps', lambda head, numbers: maps)
    best = run.search(None, (0.25, 50.), (0., 7., 20.))
    assert best == dict(temperature=0.25, background_logit=7.)
    mirrored = run.truth(2, 1)
    assert mirrored.shape == (4, 4) and not torch.equal(mirrored, truth[0])


def test_sweeps_of_fsae(fsae, monkeypatch):
    """The paper's values, everything else as the search found it."""
    _, run = fsae
    rows = {}
    monkeypatch.setattr(run, 'search', lambda head: dict(temperature=2.))
    monkeypatch.setattr(
        run, 'further', lambda name, head, options, num_ops=3, iters=1: rows.update(
            {name: (options, num_ops)}))
    run.sweeps('ESOL', None, None)
    assert rows['ESOL: + FAE, tau_FAE 0.8'] == (
        dict(temperature=2., kernel_size=1, threshold=0.8), 3)
    assert rows['ESOL: + FAE + SAE, k 7'] == (dict(temperature=2., kernel_size=7), 3)
    assert rows['ESOL: + FAE + SAE, tau_SAE 0.6'] == (
        dict(temperature=2., ring_threshold=0.6), 3)
    assert rows['ESOL: + FAE + SAE, 5 operations'] == (dict(temperature=2.), 5)


def test_threshold_scores(run):
    """Against the confusion of all classes, one threshold at a time."""
    seeds = {n: torch.rand(2, 4, 4) * run.images.tags[n][:, None, None]
             for n in (0, 1, 2)}
    scores = run.threshold_scores(seeds.__getitem__, (0, 1, 2))
    for i in (0, 30, 78):
        confusion = np.zeros((3, 3))
        for n in (0, 1, 2):
            best, label = run.images.at_image(n, seeds[n]).max(0)
            label = torch.where(best > (i + 1) / 100, label + 1, 0)
            truth = run.images.mask(n)
            np.add.at(confusion, (truth[truth < 255], label[truth < 255]), 1)
        recall = np.diag(confusion) / confusion.sum(1)
        assert scores[i]['recall'] == pytest.approx(recall.mean() * 100)


def test_geometry(shared, root):
    images = shared.Images(str(root), 'ImageSets/Segmentation/choose.txt', 64)
    assert (images.fit, images.choose, [*images.val]) == ([0, 1, 3], [2], [4, 5])
    # Image 2 is 42 x 62: what is mirrored twice is as before, columns outside stay.
    maps = torch.arange(64.).expand(2, 32, 64)
    mirrored = images.mirrored(2, maps, 1)
    assert mirrored[0, 0, :62].tolist() == [*range(61, -1, -1)]
    assert torch.equal(mirrored[..., 62:], maps[..., 62:])
    assert torch.equal(images.mirrored(2, mirrored, 1), maps)
    assert images.at_image(2, torch.rand(3, 4, 4)).shape == (3, 42, 62)


@pytest.mark.parametrize('choose, size, message', [
    ('val.txt', 64, 'names photos that train.txt lacks'),
    ('choose.txt', 48, 'a is larger than --size 48')])
def test_what_is_refused(shared, root, choose, size, message):
    with pytest.raises(ValueError, match=message):
        shared.Images(str(root), f'ImageSets/Segmentation/{choose}', size)


def gate_arguments(gate, monkeypatch, root, name, *more):
    return arguments(
        gate, monkeypatch, root, name, '--features', str(root / 'views.pt'),
        '--images', '3', '--views', '2', '--crop', '64', '--test-size', '64',
        '--channels', '4', '--pretrain-iters', '1', '--self-iters', '1', *more,
        whole=())


@pytest.fixture
def gate_run(gate, root, monkeypatch):
    args = gate_arguments(gate, monkeypatch, root, 'gate_run')
    images = gate.Images(str(root), args.choose, args.size)
    return gate.Run(images, gate.load_views(images, args), 0, args)


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
            truth = gate_run.images.mask(n)[::2, ::2]
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
        gate.load_views(gate_run.images, args)

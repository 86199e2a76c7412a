# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import csv
import json
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS
from PIL import Image
from tiny_cam import CONFIG
from tool_runner import run_tool

import mmwsss.engine.inference as inference
from mmwsss.datasets import WeakDemoDataset
from mmwsss.structures import Seed
from mmwsss.utils import project_path


@pytest.fixture(scope='module')
def setting(voc_root, tmp_path_factory):
    """A config, a checkpoint of its model, and seeds made with it."""
    folder = tmp_path_factory.mktemp('seed_tools')
    config = folder / 'config.py'
    config.write_text(CONFIG.format(root=str(voc_root)))
    torch.manual_seed(0)
    init_default_scope('mmseg')
    model = MODELS.build(Config.fromfile(config).model)
    model.init_weights()
    checkpoint = folder / 'model.pth'
    torch.save(dict(state_dict=model.state_dict(), meta={}), checkpoint)
    seeds = folder / 'seeds'
    run_tool('generate_seeds', config, checkpoint, '--out', seeds)
    ids = (voc_root / 'ImageSets/Segmentation/train.txt').read_text().split()
    return dict(folder=folder, config=config, checkpoint=checkpoint,
                seeds=seeds, ids=ids, root=voc_root)


def contents(folder, suffix):
    return {path.name: path.read_bytes()
            for path in sorted(folder.glob(f'*{suffix}'))}


def test_seeds(setting):
    files = contents(setting['seeds'], '.npz')
    assert sorted(files) == sorted(f'{name}.npz' for name in setting['ids'])
    table = json.loads((setting['root'] / 'image_labels.json').read_text())
    for name in setting['ids']:
        seed = Seed.load(setting['seeds'] / f'{name}.npz')
        image = Image.open(setting['root'] / f'JPEGImages/{name}.jpg')
        assert seed.size == image.size[::-1]
        assert len(seed.labels) == len(set(table[name]) - {'background'})
        # The maximum is 1 but for the 1e-5 beneath it.
        assert seed.scores.amax((1, 2)).min() > .99


def test_rerun_completes(setting, tmp_path, capsys):
    """What a killed run left is kept, the rest is made alike."""
    seeds = tmp_path / 'seeds'
    shutil.copytree(setting['seeds'], seeds)
    expected = contents(seeds, '.npz')
    gone, kept = setting['ids'][:3], setting['ids'][3]
    for name in gone:
        (seeds / f'{name}.npz').unlink()
    (seeds / f'.{gone[0]}.npz.abc.tmp').write_text('half')
    before = (seeds / f'{kept}.npz').stat().st_mtime_ns
    call = (setting['config'], setting['checkpoint'], '--out', seeds)
    run_tool('generate_seeds', *call)
    assert f'{len(gone)} to go' in capsys.readouterr().out
    assert contents(seeds, '.npz') == expected
    assert (seeds / f'{kept}.npz').stat().st_mtime_ns == before
    run_tool('generate_seeds', *call)
    assert 'are done' in capsys.readouterr().out


def test_rerun_notes_that_all_was_done(setting, tmp_path):
    """A kill may come between the last file and the note."""
    seeds, labels = tmp_path / 'seeds', tmp_path / 'labels'
    shutil.copytree(setting['seeds'], seeds)
    call = ('refine_seeds', setting['config'], '--seeds', seeds, '--out', labels,
            '--refiner', 'none', '--jobs', 0)
    run_tool(*call)
    for folder, again in (
            (labels, call),
            (seeds, ('generate_seeds', setting['config'], setting['checkpoint'],
                     '--out', seeds))):
        ledger = folder / '.made_from.json'
        done = ledger.read_text()
        ledger.write_text(done.replace('"done"', '"running"'))
        assert ledger.read_text() != done
        run_tool(*again)
        assert ledger.read_text() == done


@pytest.mark.parametrize('indices', ['8', '[1,4,6,7]'])
def test_rerun_builds_the_dataset_once(setting, tmp_path, monkeypatch, indices):
    """It makes what is missing, of a part of the images, too."""
    chosen = setting['ids'] if indices == '8' else [
        setting['ids'][i] for i in (1, 4, 6, 7)]
    call = (setting['config'], setting['checkpoint'], '--out', tmp_path,
            '--cfg-options', f'seed_dataloader.dataset.indices={indices}')
    run_tool('generate_seeds', *call)
    (tmp_path / f'{chosen[2]}.npz').unlink()
    builds = []
    load = WeakDemoDataset.load_data_list
    monkeypatch.setattr(WeakDemoDataset, 'load_data_list',
                        lambda self: builds.append(1) or load(self))
    run_tool('generate_seeds', *call)
    assert len(builds) == 1
    expected = contents(setting['seeds'], '.npz')
    assert contents(tmp_path, '.npz') == {
        f'{name}.npz': expected[f'{name}.npz'] for name in chosen}


def test_seeds_without_the_fast_backbone(setting, tmp_path, monkeypatch):
    plain, half = tmp_path / 'plain', tmp_path / 'half'
    call = (setting['config'], setting['checkpoint'], '--cfg-options',
            'default_hooks.fast_inference=None', '--out')
    run_tool('generate_seeds', *call, plain)
    monkeypatch.setattr(inference, 'cpu_has_bf16', lambda: True)
    with pytest.raises(ValueError, match='needs the hook fast_inference'):
        run_tool('generate_seeds', *call, half, '--amp', 'bf16')
    differences = []
    for name in setting['ids']:
        one, other = (Seed.load(folder / f'{name}.npz').scores
                      for folder in (plain, setting['seeds']))
        differences.append(float((one - other).abs().max()))
    # Rounding may tip a half precision number on disk over, and no more.
    assert max(differences) < 1e-3


def test_seeds_in_half_precision(setting, tmp_path, monkeypatch, capsys):
    call = (setting['config'], setting['checkpoint'], '--out', tmp_path)
    monkeypatch.setattr(inference, 'cpu_has_bf16', lambda: False)
    with pytest.raises(SystemExit):
        run_tool('generate_seeds', *call, '--amp', 'bf16')
    assert '--amp bf16: this CPU has no bfloat16' in capsys.readouterr().err
    assert not any(tmp_path.iterdir())
    monkeypatch.setattr(inference, 'cpu_has_bf16', lambda: True)
    run_tool('generate_seeds', *call, '--amp', 'bf16')
    differences = [
        float((Seed.load(tmp_path / f'{name}.npz').scores -
               Seed.load(setting['seeds'] / f'{name}.npz').scores).abs().mean())
        for name in setting['ids']
    ]
    assert 1e-4 < max(differences) < 0.1
    with pytest.raises(FileExistsError, match='another amp'):
        run_tool('generate_seeds', *call)


def test_seeds_of_another_model_are_not_mixed(setting, tmp_path):
    checkpoint = torch.load(setting['checkpoint'], weights_only=True)
    for tensor in checkpoint['state_dict'].values():
        if tensor.is_floating_point():
            tensor += 1
    torch.save(checkpoint, tmp_path / 'other.pth')
    with pytest.raises(FileExistsError, match='another weights'):
        run_tool('generate_seeds', setting['config'], tmp_path / 'other.pth',
                 '--out', setting['seeds'])
    seeds = tmp_path / 'seeds'
    shutil.copytree(setting['seeds'], seeds)
    call = (setting['config'], tmp_path / 'other.pth', '--out', seeds, '--renew')
    run_tool('generate_seeds', *call)
    assert contents(tmp_path / 'seeds.previous', '.npz') == contents(
        setting['seeds'], '.npz')
    renewed = contents(seeds, '.npz')
    assert renewed.keys() == contents(setting['seeds'], '.npz').keys()
    assert renewed != contents(setting['seeds'], '.npz')
    # Of the same origin there is nothing to renew.
    dates = [path.stat().st_mtime_ns for path in sorted(seeds.glob('*.npz'))]
    run_tool('generate_seeds', *call)
    assert dates == [path.stat().st_mtime_ns for path in sorted(seeds.glob('*.npz'))]
    strange = tmp_path / 'strange'
    strange.mkdir()
    (strange / 'a.npz').write_text('')
    with pytest.raises(FileExistsError, match='unknown origin'):
        run_tool('generate_seeds', setting['config'], setting['checkpoint'],
                 '--out', strange)


def test_a_refused_call_binds_no_folder(setting, tmp_path):
    """Only what wrote a file is compared with later calls."""
    weights = torch.load(setting['checkpoint'], weights_only=True)
    weights['state_dict'].popitem()
    torch.save(weights, tmp_path / 'other.pth')
    (tmp_path / 'broken.pth').write_bytes(setting['checkpoint'].read_bytes()[:999])
    seeds, labels = tmp_path / 'seeds', tmp_path / 'labels'
    for name in ('broken.pth', 'other.pth'):
        with pytest.raises(ValueError, match='checkpoint|weights'):
            run_tool('generate_seeds', setting['config'], tmp_path / name, '--out',
                     seeds)
    call = (setting['config'], '--seeds', seeds, '--out', labels, '--jobs', 0)
    with pytest.raises(FileNotFoundError, match='8 of 8 images have no seed'):
        run_tool('refine_seeds', *call, '--refiner', 'none', '--bg-thr', .5)
    run_tool('generate_seeds', setting['config'], setting['checkpoint'], '--out',
             seeds)
    assert contents(seeds, '.npz') == contents(setting['seeds'], '.npz')
    ledger = seeds / '.made_from.json'
    assert json.loads(ledger.read_text())['status'] == 'done'
    run_tool('refine_seeds', *call, '--refiner', 'none')
    assert len(contents(labels, '.png')) == 8

    # Nobody knows what files were made from whose ledger is damaged.
    ledger.write_text('{"made_from": {"weights"')
    with pytest.raises(FileExistsError, match='unknown origin: .*is damaged'):
        run_tool('generate_seeds', setting['config'], setting['checkpoint'],
                 '--out', seeds)
    with pytest.raises(ValueError, match='made_from.json is damaged'):
        run_tool('refine_seeds', *call, '--refiner', 'none')


def test_streamed_labels_equal_refined_full_seeds(setting, tmp_path):
    """No seed file is needed on the way to pseudo labels."""
    seeds, streamed, refined = (
        tmp_path / name for name in ('seeds', 'streamed', 'refined'))
    rule = ('--refiner', 'none', '--bg-thr', .3)
    run_tool('generate_seeds', setting['config'], setting['checkpoint'],
             '--out', seeds, '--full-size', '--labels-out', streamed, *rule)
    run_tool('refine_seeds', setting['config'], '--seeds', seeds, '--out',
             refined, *rule, '--jobs', 0)
    names = sorted(f'{name}.png' for name in setting['ids'])
    assert sorted(contents(streamed, '.png')) == names
    for name in names:
        masks = [np.asarray(Image.open(folder / name))
                 for folder in (streamed, refined)]
        # Half precision on disk moves pixels beside the threshold only.
        assert (masks[0] != masks[1]).mean() < .01


def test_score_while_generating(setting, tmp_path):
    full, out, again = (tmp_path / name for name in ('s', 'a.json', 'b.json'))
    run_tool('generate_seeds', setting['config'], setting['checkpoint'],
             '--out', full, '--full-size', '--score', out)
    scores = json.loads(out.read_text())
    assert 'seed/tag_mAP' in scores
    assert 'supervision I' in scores['protocol']
    run_tool('evaluate_seeds', setting['config'], '--seeds', full, '--out',
             again)
    assert json.loads(again.read_text())['seed/mIoU'] == pytest.approx(
        scores['seed/mIoU'], abs=.2)


def test_refine_in_workers(setting, tmp_path):
    results = {}
    for refiner, jobs in (('irn_label', 0), ('irn_label', 2), ('psa', 0),
                          ('irn_two_threshold', 0)):
        out = tmp_path / f'{refiner}_{jobs}'
        run_tool('refine_seeds', setting['config'], '--seeds',
                 setting['seeds'], '--out', out, '--refiner', refiner,
                 '--jobs', jobs)
        results[refiner, jobs] = contents(out, '.png')
        assert sorted(results[refiner, jobs]) == sorted(
            f'{name}.png' for name in setting['ids'])
    assert results['irn_label', 0] == results['irn_label', 2]
    # What made the labels stands in the protocol of their scores.
    scores = tmp_path / 'scores.json'
    run_tool('evaluate_seeds', setting['config'], '--masks',
             tmp_path / 'irn_label_2', '--out', scores)
    assert re.search(r'crf dense CRF \((numba|torch)\), irn_label,',
                     json.loads(scores.read_text())['protocol'])
    values = set()
    for name in setting['ids']:
        path = tmp_path / 'irn_two_threshold_0' / f'{name}.png'
        values |= set(np.unique(Image.open(path)))
    assert 255 in values and 0 in values


def test_refine_goes_on(setting, tmp_path, capsys):
    out = tmp_path / 'labels'
    call = (setting['config'], '--seeds', setting['seeds'], '--out', out,
            '--refiner', 'none', '--jobs', 0)
    run_tool('refine_seeds', *call)
    expected = contents(out, '.png')
    for name in setting['ids'][::2]:
        (out / f'{name}.png').unlink()
    capsys.readouterr()
    run_tool('refine_seeds', *call)
    assert f'{len(setting["ids"][::2])} to go' in capsys.readouterr().out
    assert contents(out, '.png') == expected
    with pytest.raises(FileExistsError, match='another rule'):
        run_tool('refine_seeds', *call, '--bg-thr', .5)


def test_refine_renews(setting, tmp_path):
    call = (setting['config'], '--seeds', setting['seeds'], '--jobs', 0,
            '--refiner', 'none')
    low, high, out = (tmp_path / name for name in ('low', 'high', 'out'))
    run_tool('refine_seeds', *call, '--out', low, '--bg-thr', .2)
    run_tool('refine_seeds', *call, '--out', high, '--bg-thr', .6)
    assert contents(low, '.png') != contents(high, '.png')
    shutil.copytree(low, out)
    with pytest.raises(FileExistsError,
                       match=f'made with another rule; .* {out}.previous by --renew'):
        run_tool('refine_seeds', *call, '--out', out, '--bg-thr', .6)
    assert contents(out, '.png') == contents(low, '.png')
    for rule, one, other in ((.6, high, low), (.2, low, high)):
        run_tool('refine_seeds', *call, '--out', f'{out}/', '--bg-thr', rule, '--renew')
        assert contents(out, '.png') == contents(one, '.png')
        assert contents(tmp_path / 'out.previous', '.png') == contents(other, '.png')


def test_refine_bad_seeds(setting, tmp_path):
    seeds = tmp_path / 'seeds'
    shutil.copytree(setting['seeds'], seeds)
    call = (setting['config'], '--seeds', seeds, '--out', tmp_path / 'labels',
            '--refiner', 'none', '--jobs', 0)
    broken = seeds / f'{setting["ids"][5]}.npz'
    broken.write_bytes(broken.read_bytes()[:100])
    with pytest.raises(ValueError, match=broken.name):
        run_tool('refine_seeds', *call)
    assert len(contents(tmp_path / 'labels', '.png')) == 5
    broken.unlink()
    with pytest.raises(FileNotFoundError, match=broken.name):
        run_tool('refine_seeds', *call)


def test_evaluate_seeds(setting, tmp_path, capsys):
    out, details, curve, picture = (
        tmp_path / name
        for name in ('out.json', 'details.json', 'curve.csv', 'curve.png'))
    run_tool('evaluate_seeds', setting['config'], '--seeds', setting['seeds'],
             '--out', out, '--details', details, '--curve', curve)
    assert 'Protocol: split train (8 masks of 8 images)' in (
        capsys.readouterr().out)
    scores = json.loads(out.read_text())
    assert not any(isinstance(one, (dict, list)) for one in scores.values())
    every = json.loads(details.read_text())['details']
    assert max(every['mIoU']) == scores['seed/mIoU']
    rows = list(csv.reader(curve.open()))
    assert rows[0] == ['thresholds', 'precision', 'recall', 'F1', 'mIoU']
    assert len(rows) == 62
    run_tool('evaluate_seeds', setting['config'], '--seeds', setting['seeds'],
             '--bg-thr', out, '--curve', picture, '--jobs', 1, '--out',
             tmp_path / 'fixed.json')
    fixed = json.loads((tmp_path / 'fixed.json').read_text())
    assert fixed['seed/mIoU'] == scores['seed/mIoU']
    assert '(given)' in fixed['protocol']
    assert Image.open(picture).format == 'PNG'


def test_masks_score_as_the_seeds_they_were_cut_from(setting, tmp_path):
    run_tool('refine_seeds', setting['config'], '--seeds', setting['seeds'],
             '--out', tmp_path / 'labels', '--refiner', 'none', '--bg-thr',
             .3, '--jobs', 0)
    run_tool('evaluate_seeds', setting['config'], '--masks',
             tmp_path / 'labels', '--out', tmp_path / 'masks.json')
    run_tool('evaluate_seeds', setting['config'], '--seeds', setting['seeds'],
             '--bg-thr', .3, '--out', tmp_path / 'seeds.json')
    masks = json.loads((tmp_path / 'masks.json').read_text())
    seeds = json.loads((tmp_path / 'seeds.json').read_text())
    for key in ('mIoU', 'precision', 'recall', 'F1', 'FPR', 'FNR'):
        assert masks[f'mask/{key}'] == seeds[f'seed/{key}']
    truth = setting['root'] / 'SegmentationClass'
    run_tool('evaluate_seeds', setting['config'], '--masks', truth, '--out',
             tmp_path / 'truth.json')
    assert json.loads((tmp_path / 'truth.json').read_text())[
        'mask/mIoU'] == 100


def test_evaluate_bad_input(setting, tmp_path):
    with pytest.raises(FileNotFoundError, match='8 of 8 images'):
        run_tool('evaluate_seeds', setting['config'], '--masks', tmp_path)
    for name in setting['ids']:
        Image.new('L', (64, 64), 9).save(tmp_path / f'{name}.png')
    with pytest.raises(ValueError, match=f'{setting["ids"][0]}.png.*0..6'):
        run_tool('evaluate_seeds', setting['config'], '--masks', tmp_path)
    Image.new('L', (5, 5)).save(tmp_path / f'{setting["ids"][0]}.png')
    with pytest.raises(ValueError, match=setting['ids'][0]):
        run_tool('evaluate_seeds', setting['config'], '--masks', tmp_path)
    with pytest.raises(SystemExit):
        run_tool('evaluate_seeds', setting['config'], '--masks', tmp_path,
                 '--bg-thr', 'nowhere.json')


def test_two_processes(setting, tmp_path):
    seeds, out = tmp_path / 'seeds', tmp_path / 'scores.json'
    subprocess.run(
        [sys.executable, '-m', 'torch.distributed.run', '--standalone',
         '--nproc_per_node', '2', project_path('tools', 'generate_seeds.py'),
         setting['config'], setting['checkpoint'], '--out', seeds, '--score',
         out, '--launcher', 'pytorch', '--cfg-options',
         'seed_dataloader.dataset.indices=7'],
        check=True, env=dict(
            os.environ, CUDA_VISIBLE_DEVICES='',
            PYTHONPATH=os.pathsep.join(filter(None, sys.path))))
    expected = contents(setting['seeds'], '.npz')
    files = contents(seeds, '.npz')
    assert sorted(files) == sorted(
        f'{name}.npz' for name in setting['ids'][:7])
    assert all(expected[name] == files[name] for name in files)
    run_tool('generate_seeds', setting['config'], setting['checkpoint'],
             '--score', tmp_path / 'single.json', '--cfg-options',
             'seed_dataloader.dataset.indices=7')
    assert json.loads(out.read_text()) == json.loads(
        (tmp_path / 'single.json').read_text())

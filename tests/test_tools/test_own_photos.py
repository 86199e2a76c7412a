# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""The tools behind the command mmwsss, on generated scenes."""

import json
import os
import shutil

import numpy as np
import pytest
from PIL import Image
from tool_runner import run_tool

from mmwsss.structures import Seed
from mmwsss.utils import project_path, read_json, read_lines

CLASSES = ['blob', 'ring']


def image(path, size=(40, 30), seed=0, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.RandomState(seed).randint(0, 256, (*size[::-1], 3), np.uint8)
    Image.fromarray(pixels).save(path, **options)


def mask(path, ids=(0, 1), size=(40, 30)):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.zeros(size[::-1], np.uint8)
    pixels[5:20, 5:20] = ids[-1]
    Image.fromarray(pixels).save(path)


@pytest.fixture
def own(tmp_path):
    """60 images of two classes, the first 20 with masks."""
    root = tmp_path / 'own'
    rows = ['photo,tags']
    for i in range(60):
        image(root / 'photos' / f'{i:02}.png', seed=i)
        rows.append(f'{i:02}.png,{CLASSES[i % 2]}')
        if i < 20:
            mask(root / 'masks' / f'{i:02}.png', (0, 1 + i % 2))
    (root / 'tags.csv').write_text('\n'.join(rows))
    (root / 'classes.txt').write_text('\n'.join(CLASSES))
    return root


def lay_out(*arguments):
    return run_tool('dataset_converters/own_photos', *arguments, '--jobs', 1)


def test_the_layout_of_the_recipes(own, tmp_path, capsys):
    image(own / 'photos' / 'large.jpg', (100, 50), seed=99)
    turned = Image.Exif()
    turned[0x0112] = 6
    image(own / 'photos' / 'turned.jpg', seed=98, exif=turned)
    with open(own / 'tags.csv', 'a') as file:
        file.write('\nlarge,blob\nturned,ring')
    out = tmp_path / 'out'
    others = {str(own / 'photos' / f'{i}.heic'): '.heic' for i in range(12)}
    others[str(own / 'masks' / 'notes.docx')] = '.docx'
    for path in others:
        open(path, 'w').close()
    assert lay_out(own, '--out', out, '--max-long', 64) == 0
    said = capsys.readouterr().out
    assert all(f'not used: {path} ({kind})' in said for path, kind in others.items())
    assert read_json(out / 'photos.json')['unused'] == others
    assert '62 photos in photos' in said and '20 masks in masks' in said
    assert 'no problem found' in said
    assert (out / 'photos' / '00.png').is_symlink()
    assert Image.open(out / 'photos' / 'large.jpg').size == (64, 32)
    assert Image.open(out / 'photos' / 'turned.jpg').size == (30, 40)
    assert read_lines(out / 'classes.txt') == CLASSES
    parts = {name: read_lines(out / f'{name}.txt') for name in
             ('train', 'val', 'test', 'seeds')}
    assert len(parts['val'] + parts['test']) == 19
    assert sorted(parts['train'] + parts['val']) == parts['seeds']
    assert {path.stem for path in (out / 'masks').iterdir()} <= {
        f'{i:02}' for i in range(20)}
    for key in parts['val']:
        assert Image.open(out / 'masks' / f'{key}.png').size == (40, 30)

    # Called again, it reads only what has changed, and forgets what is gone.
    before = os.stat(out / 'photos' / 'large.jpg').st_mtime_ns
    (own / 'photos' / '59.png').unlink()
    assert lay_out(own, '--out', out, '--max-long', 64) == 0
    assert os.stat(out / 'photos' / 'large.jpg').st_mtime_ns == before
    assert not (out / 'photos' / '59.png').is_symlink()


def test_problems_stop_unless_forced(own, tmp_path, capsys):
    (own / 'photos' / '30.png').write_bytes(b'')
    mask(own / 'masks' / '00.png', size=(30, 40))
    mask(own / 'masks' / '01.png', (0, 7))
    (own / 'tags.csv').write_text(
        (own / 'tags.csv').read_text().replace('31.png,ring', '31.png,rnig'))
    out = tmp_path / 'out'
    assert lay_out(own, '--out', out) == 3
    said = capsys.readouterr().out
    assert 'PROBLEM (files): ' in said and '30.png is empty' in said
    assert 'is 30x40, its photo 40x30' in said or '00' in said
    assert "perhaps 'ring' is meant" in said
    assert not (out / 'tags.csv').exists()
    assert lay_out(own, '--out', out, '--force') == 0
    rows = (out / 'tags.csv').read_text()
    assert '30' not in [row.split(',')[0] for row in rows.splitlines()]
    record = read_json(out / 'photos.json')
    assert {one['check'] for one in record['checks'] if one['stops']} == {
        'files', 'spelling'}


def snapshot(root):
    return {path: (path.is_symlink(), path.read_bytes())
            for path in root.rglob('*') if path.is_file()}


def test_own_files_are_not_replaced(own, tmp_path):
    """Copies never mix with images, tables or lists of their owner."""
    other = tmp_path / 'other'
    image(other / 'photos' / 'kept.png')
    (tmp_path / 'link').symlink_to(own)
    before = snapshot(tmp_path)
    for out, said in (
            (own, 'would mix copies with the files in'),
            (tmp_path / 'link', 'would mix copies'),
            (own / 'photos', 'would mix copies'),
            (own / 'photos' / 'new', 'would mix copies'),
            (own / 'masks' / 'new', 'would mix copies'),
            (other, 'holds photos, which this tool did not write')):
        with pytest.raises((ValueError, FileExistsError), match=said):
            lay_out(own, '--out', out)
    own.rename(tmp_path / 'photos')
    with pytest.raises(ValueError, match='would mix copies'):
        lay_out(tmp_path / 'photos', '--out', tmp_path)
    (tmp_path / 'photos').rename(own)
    (other / 'photos.json').write_text('{"kept": ["blob"]}')
    with pytest.raises(FileExistsError, match='photos.json is not of this tool'):
        lay_out(own, '--out', other)
    (other / 'photos.json').unlink()
    assert snapshot(tmp_path) == before


def test_class_folders_beside_their_work_folder(tmp_path):
    for i in range(60):
        image(tmp_path / CLASSES[i % 2] / f'{i:02}.png', seed=i)
    for _ in range(2):
        assert lay_out(tmp_path, '--out', tmp_path / 'work_dirs' / 'x' / 'data') == 0
    with pytest.raises(ValueError, match='would mix copies'):
        lay_out(tmp_path, '--out', tmp_path / 'new')


@pytest.mark.parametrize('damage', [
    lambda told: '', lambda told: '{"photos"', lambda told: dict(told, photos=[3]),
    lambda told: dict(told, photos=dict.fromkeys(told['photos'], 3)),
    lambda told: dict(told, photos={
        key: {'stamp': one['stamp']} for key, one in told['photos'].items()}),
    lambda told: dict(told, photos={
        key: dict(one, file=f'../{key}', shown=['x'])
        for key, one in told['photos'].items()})])
def test_a_damaged_record_is_made_anew(own, tmp_path, damage):
    out = tmp_path / 'out'
    lay_out(own, '--out', out)
    before, told = snapshot(out), read_json(out / 'photos.json')
    damaged = damage(told)
    (out / 'photos.json').write_text(
        damaged if isinstance(damaged, str) else json.dumps(damaged))
    assert lay_out(own, '--out', out) == 0
    assert snapshot(out) == before


@pytest.mark.parametrize('masks, said', [
    (20, 'note (masks): 9 photos score the model, so its mIoU is rough'),
    (5, 'note (masks): 5 masks choose the threshold, none is left to score the model'),
    (0, 'no problem found')])
def test_what_so_few_masks_are_for(own, capsys, masks, said):
    for number in range(masks, 20):
        (own / 'masks' / f'{number:02}.png').unlink()
    assert lay_out(own, '--out', own.parent / 'out') == 0
    told = capsys.readouterr().out
    assert said in told and told.count('note (masks)') == bool(masks)
    assert ('score (test)' in told) == (masks == 20)
    # The report of a run says why it has no score.
    shown = read_json(own.parent / 'out' / 'checks.json')
    assert any('nothing is scored' in one['text'] for one in shown) == (not masks)


def test_copies_of_images_in_two_lists(own, capsys):
    shutil.copy(own / 'photos' / '40.png', own / 'photos' / '41.png')
    for name, ids in (('train', range(41)), ('val', (0, 41))):
        (own / f'{name}.txt').write_text('\n'.join(f'{i:02}' for i in ids))
    mask(own / 'masks' / '41.png')
    assert lay_out(own) == 3
    said = capsys.readouterr().out
    assert "first '00': what is measured there was trained on" in said
    assert "'40' and '41'" in said


@pytest.fixture
def seeded(own, tmp_path):
    """The images laid out, with seeds of three stages: the second has moved a little,
    the third knows nothing."""
    out = tmp_path / 'out'
    lay_out(own, '--out', out)
    for key in read_lines(out / 'seeds.txt'):
        score = np.full((1, 30, 40), 0.2, np.float32)
        score[0, 5:20, 5:20] = 0.8
        label = [1 + int(key) % 2]
        for stage, scores in dict(
                good=score, moved=np.roll(score, 3, axis=2), bad=score * 0).items():
            path = tmp_path / stage / f'{key}.npz'
            path.parent.mkdir(exist_ok=True)
            Seed(scores, label, (30, 40)).save(str(path))
    return tmp_path


def config(root, with_masks=True):
    """A config of the images, with or without a list of those with masks."""
    path = root / 'config.py'
    base = project_path('configs', 'cam', 'cam_mobilenetv1_folder.py')
    lists = dict(train='train.txt', seed='seeds.txt', test='test.txt', val=(
        'val.txt' if with_masks else 'train.txt'))
    path.write_text(f'_base_ = {base!r}\n' + '\n'.join(
        f"{name}_dataloader = dict(dataset=dict(data_root={str(root / 'out')!r}, "
        f"classes=('background', 'blob', 'ring'), ann_file={file!r}))"
        for name, file in lists.items()))
    return path


def choose(root, with_masks, stage, *words):
    status = run_tool('choose_labels', config(root, with_masks), '--stages',
                      f'good={root / "good"}', f'{stage}={root / stage}', '--refiners',
                      'none', '--out', root / 'choose', *words)
    assert os.readlink(root / 'choose' / 'seeds') == '../good'
    return status, read_json(root / 'choose' / 'metrics.json')


def test_masks_choose_the_stage_and_the_threshold(seeded, capsys):
    status, chosen = choose(seeded, True, 'moved')
    assert status == 0
    assert chosen['chosen/stage'] == 'good' and chosen['chosen/mIoU'] == 100
    assert 0.2 <= chosen['chosen/bg_thr'] < 0.8
    assert 'WARNING: moved is' in capsys.readouterr().out
    checks = read_json(seeded / 'choose' / 'checks.json')
    assert [check['status'] for check in checks] == ['warning']
    assert not (seeded / 'choose' / 'photos.png').exists()


def test_a_stage_that_has_lost_most_stops(seeded, capsys):
    status, chosen = choose(seeded, True, 'bad')
    assert status == 3 and chosen['chosen/stage'] == 'good'
    said = capsys.readouterr().out
    assert 'FAILED (stage bad): bad is' in said and 'after 100.0' in said
    picture = seeded / 'choose' / 'photos.png'
    assert f'photos that show it: {picture}' in said
    assert Image.open(picture).width > 100
    [check] = read_json(seeded / 'choose' / 'checks.json')
    assert check['status'] == 'failed' and check['pictures'] == [str(picture)]
    assert choose(seeded, True, 'bad', '--force')[0] == 0


def test_no_mask_is_needed(seeded, capsys):
    shutil.rmtree(seeded / 'out' / 'masks')
    status, chosen = choose(seeded, False, 'bad')
    assert status == 0 and read_json(seeded / 'choose' / 'checks.json') == []
    assert 0.2 < chosen['chosen/bg_thr'] < 0.8
    assert 'without masks' in chosen['chosen/by']


def labels_of(seeded, bg_thr, stage='good'):
    """Pseudo labels, thresholded; the outcome of their check."""
    out = seeded / f'labels_{stage}_{bg_thr}'
    run_tool('refine_seeds', config(seeded), '--seeds', seeded / stage, '--out', out,
             '--refiner', 'none', '--bg-thr', bg_thr, '--jobs', 0)
    words = ['check_labels', config(seeded), '--labels', out, '--seeds', seeded / stage,
             '--bg-thr', bg_thr, '--out', seeded / 'check']
    return run_tool(*words), words


def test_good_labels_pass(seeded, capsys):
    status, _ = labels_of(seeded, 0.5)
    assert status == 0
    assert 'FAILED' not in capsys.readouterr().out
    assert not (seeded / 'check' / 'photos.png').exists()


@pytest.mark.parametrize('with_masks', [True, False])
def test_the_tag_map_says_whose_it_is(seeded, capsys, with_masks):
    log = seeded / 'training' / 'now' / 'vis_data' / 'scalars.json'
    log.parent.mkdir(parents=True)
    log.write_text(json.dumps({'seed/tag_mAP': 91.3, 'step': 5}))
    _, words = labels_of(seeded, 0.5)
    words[1] = config(seeded, with_masks)
    assert run_tool(*words, '--training', seeded / 'training') == 0
    said = capsys.readouterr().out
    assert 'tag mAP 91.3' in said
    assert ('photos that it learnt from' in said) != with_masks
    # Chance is that of the images that the tag mAP is of.
    ids = (seeded / 'out' / ('val.txt' if with_masks else 'train.txt')).read_text()
    assert f'on {len(ids.split())} photos' in said


def test_labels_without_background_stop(seeded, capsys):
    status, words = labels_of(seeded, 0.1)
    assert status == 3
    said = capsys.readouterr().out
    assert 'FAILED (background): 0% of the pseudo labels is background' in said
    assert "'blob' has flooded its photos" in said
    checks = json.loads((seeded / 'check' / 'checks.json').read_text())
    assert checks[0]['status'] == 'failed'
    assert checks[0]['pictures'] == [str(seeded / 'check' / 'photos.png')]
    assert Image.open(seeded / 'check' / 'photos.png').width > 100
    assert checks[0]['title'] == 'background'
    assert run_tool(*words, '--force', '--of', 'first labels') == 0
    checks = json.loads((seeded / 'check' / 'checks.json').read_text())
    assert checks[0]['title'] == 'first labels: background'


def test_preview(seeded):
    out = seeded / 'preview.png'
    run_tool('preview_labels', config(seeded), '--seeds', seeded / 'good', '--out',
             out, '--bg-thr', 0.5, '--refiner', 'none', '--num-images', 2)
    first = Image.open(out)
    run_tool('preview_labels', config(seeded), '--seeds', seeded / 'good', '--out',
             out, '--bg-thr', 0.9, '--refiner', 'none', '--num-images', 2)
    assert np.asarray(first).shape == np.asarray(Image.open(out)).shape
    assert (np.asarray(first) != np.asarray(Image.open(out))).any()

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import os
import subprocess
import tarfile

import numpy as np
import psutil
import pytest
import torch
from mmengine.evaluator import Evaluator
from PIL import Image

from mmwsss.datasets.coco import WeakCOCODataset
from mmwsss.datasets.image_io import read_image, voc_palette
from mmwsss.evaluation.writers.origin import (
    check_origin,
    folder_ledger,
    start_of_process,
)
from mmwsss.models.refiners import ThresholdLabel
from mmwsss.structures import Seed
from mmwsss.utils import read_json, write_json

CLASSES = ('background', 'cat', 'dog', 'cow')
META = dict(
    classes=CLASSES, palette=[[0, 0, 0], [9, 0, 0], [0, 9, 0], [0, 0, 9]])
RULE = dict(type='ThresholdLabel', bg_thr=.3)
SIZE = (13, 18)


def make_samples(tmp_path, number=3):
    rng = np.random.default_rng(0)
    samples = []
    for index in range(number):
        path = tmp_path / f'{index}.png'
        Image.fromarray(rng.integers(0, 256, (*SIZE, 3), np.uint8)).save(path)
        samples.append(dict(
            img_path=str(path), ori_shape=SIZE,
            seed=Seed(rng.random((2, 4, 5)).round(2), (1, 3), SIZE),
            full_seed=Seed(rng.random((2, *SIZE)).round(2), (1, 3), SIZE),
            pred_sem_seg=dict(data=torch.randint(0, 4, (1, *SIZE)))))
    return samples


def write(samples, meta=META, **writer):
    evaluator = Evaluator(writer)
    evaluator.dataset_meta = meta
    evaluator.process(samples)
    return evaluator.evaluate(len(samples))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize('key', ['img_path', 'seg_map_path'])
def test_what_was_read_is_not_replaced(tmp_path, key):
    samples = make_samples(tmp_path)
    (tmp_path / 'truth').symlink_to(tmp_path)
    if key == 'seg_map_path':
        for sample in samples:
            sample.update(seg_map_path=sample['img_path'], img_path=f'{key}/0.jpg',
                          img_id=sample['img_path'].split('/')[-1][:-4])
    before = [path.read_bytes() for path in sorted(tmp_path.glob('*.png'))]
    with pytest.raises(ValueError, match='0.png would replace what was read'):
        write(samples, type='MaskWriter', out_dir=str(tmp_path / 'truth'))
    assert [path.read_bytes() for path in sorted(tmp_path.glob('*.png'))] == before


@pytest.mark.parametrize('full_size', [False, True])
def test_seed_writer(tmp_path, full_size):
    samples = make_samples(tmp_path)
    out = tmp_path / 'seeds'
    scores = write(samples, type='SeedWriter', out_dir=str(out),
                   full_size=full_size)
    assert scores == {}
    assert names(out) == ['0.npz', '1.npz', '2.npz']
    seed = samples[1]['full_seed' if full_size else 'seed']
    read = Seed.load(out / '1.npz')
    assert torch.equal(read.scores, seed.scores.half().float())


@pytest.mark.parametrize('jobs', [0, 2])
def test_pseudo_label_writer(tmp_path, jobs):
    samples = make_samples(tmp_path)
    out = tmp_path / 'labels'
    write(samples, type='PseudoLabelWriter', out_dir=str(out),
          label_rule=RULE, jobs=jobs)
    assert names(out) == ['0.png', '1.png', '2.png']
    rule = ThresholdLabel(bg_thr=.3)
    for index, sample in enumerate(samples):
        mask = Image.open(out / f'{index}.png')
        assert mask.mode == 'P'
        assert mask.getpalette()[3:6] == [9, 0, 0]
        image = torch.from_numpy(read_image(sample['img_path']))
        expected = rule(sample['full_seed'], image.permute(2, 0, 1))
        np.testing.assert_array_equal(np.asarray(mask), expected.numpy())


def test_existing_files_stay(tmp_path):
    samples = make_samples(tmp_path)
    out = tmp_path / 'labels'
    out.mkdir()
    (out / '1.png').write_text('mine')
    write(samples, type='PseudoLabelWriter', out_dir=str(out), label_rule=RULE)
    assert (out / '1.png').read_text() == 'mine'
    write(samples, type='PseudoLabelWriter', out_dir=str(out), label_rule=RULE,
          skip_existing=False)
    assert Image.open(out / '1.png').size == SIZE[::-1]


@pytest.mark.parametrize('jobs', [0, 1])
def test_broken_image(tmp_path, jobs):
    samples = make_samples(tmp_path)
    broken = samples[2]['img_path']
    with open(broken, 'r+b') as file:
        file.truncate(200)
    out = tmp_path / 'labels'
    with pytest.raises(ValueError, match=broken):
        write(samples, type='PseudoLabelWriter', out_dir=str(out),
              label_rule=RULE, jobs=jobs)
    # Nothing already written is lost.
    assert names(out) == ['0.png', '1.png']


def test_image_of_another_size(tmp_path):
    sample = make_samples(tmp_path, 1)[0]
    Image.new('RGB', (5, 5)).save(sample['img_path'])
    with pytest.raises(ValueError, match='0.png.*13, 18'):
        write([sample], type='PseudoLabelWriter', out_dir=str(tmp_path / 'l'),
              label_rule=RULE)


def test_no_seed(tmp_path):
    for writer in (dict(type='SeedWriter'),
                   dict(type='PseudoLabelWriter', label_rule=RULE)):
        with pytest.raises(ValueError, match='no seed'):
            write([dict(img_path='a.jpg')], out_dir=str(tmp_path), **writer)


def test_voc_server_writer(tmp_path):
    samples = make_samples(tmp_path)
    out = tmp_path / 'server'
    write(samples, type='VOCServerWriter', out_dir=str(out))
    folder = 'results/VOC2012/Segmentation/comp5_test_cls'
    with tarfile.open(out / 'results.tar.gz') as archive:
        assert archive.getnames() == [f'{folder}/{i}.png' for i in range(3)]
        image = Image.open(archive.extractfile(f'{folder}/1.png'))
        np.testing.assert_array_equal(
            np.asarray(image), samples[1]['pred_sem_seg']['data'][0])
        assert image.getpalette()[:63] == sum(voc_palette(21), [])
    assert names(out) == ['results', 'results.tar.gz']


def test_voc_server_bad_input(tmp_path):
    sample = make_samples(tmp_path, 1)[0]
    writer = dict(type='VOCServerWriter', out_dir=str(tmp_path / 'server'))
    sample['pred_sem_seg']['data'][0, 0, 0] = 21
    with pytest.raises(ValueError, match='0.png.*0..20'):
        write([sample], **writer)
    sample['pred_sem_seg']['data'] = torch.zeros(1, 4, 4).long()
    with pytest.raises(ValueError, match='0.png.*size'):
        write([sample], **writer)
    with pytest.raises(ValueError, match='competition'):
        write([sample], **writer, competition='comp3')


def write_instances(tmp_path, stem, classes, meta):
    """Write one image's instances: a square of each class."""
    scores = torch.zeros(2, 8, 16)
    scores[0, 2:6, 1:6] = scores[1, 2:6, 9:14] = 1
    labels = [meta['classes'].index(name) for name in classes]
    Seed(scores, labels, (32, 64)).save(str(tmp_path / f'{stem}.npz'))
    sample = dict(
        img_path=f'{stem}.jpg', img_id=stem, guide=torch.zeros(1, 1, 8, 16),
        displacement=torch.zeros(2, 8, 16))
    walk = dict(
        type='WalkInstances', bg_thr=0.5,
        refiner=dict(type='RandomWalk', steps=0))
    write([sample], meta=meta, type='InstanceWriter', walk=walk,
          out_dir=str(tmp_path / 'out'), seeds=str(tmp_path))
    return read_json(str(tmp_path / 'out' / 'instances.json'))


def test_instances_of_coco(tmp_path):
    """COCO's own evaluation finds what is written."""
    coco = pytest.importorskip('pycocotools.coco')
    cocoeval = pytest.importorskip('pycocotools.cocoeval')
    results = write_instances(
        tmp_path, 'COCO_val2014_000000000042', ('person', 'toothbrush'),
        WeakCOCODataset.METAINFO)
    assert [(one['image_id'], one['category_id'], one['score'])
            for one in results] == [(42, 1, 1), (42, 90, 1)]
    boxes = {1: [4, 8, 20, 16], 90: [36, 8, 20, 16]}
    write_json(str(tmp_path / 'annotations.json'), dict(
        info={},
        images=[dict(id=42, file_name='42.jpg', height=32, width=64)],
        categories=[dict(id=i, name=str(i)) for i in boxes],
        annotations=[
            dict(id=i, image_id=42, category_id=i, iscrowd=0, area=w * h,
                 bbox=[x, y, w, h],
                 segmentation=[[x, y, x + w, y, x + w, y + h, x, y + h]])
            for i, (x, y, w, h) in boxes.items()
        ]))
    truth = coco.COCO(str(tmp_path / 'annotations.json'))
    scores = cocoeval.COCOeval(truth, truth.loadRes(results), 'segm')
    scores.evaluate()
    scores.accumulate()
    scores.summarize()
    assert scores.stats[1] == pytest.approx(1)


def test_instances_of_others(tmp_path):
    """Names of images may be numbers that are not COCO's."""
    pytest.importorskip('pycocotools')
    results = write_instances(tmp_path, '000042', ('cat', 'cow'), META)
    assert [(one['image_id'], one['category_id']) for one in results] == [
        ('000042', 1), ('000042', 3)]


def test_masks_of_one_name_in_two_folders(tmp_path):
    """mmseg's own way would write one file for both."""
    samples = make_samples(tmp_path, 2)
    for sample, image_id in zip(samples, ('cat/001', 'dog/001'), strict=True):
        sample.update(img_path=f'photos/{image_id}.png', img_id=image_id)
    out = tmp_path / 'masks'
    assert write(samples, type='MaskWriter', out_dir=str(out)) == {}
    for sample in samples:
        image = Image.open(out / f'{sample["img_id"]}.png')
        assert image.getpalette()[:12] == sum(META['palette'], [])
        assert np.array_equal(np.array(image), sample['pred_sem_seg']['data'][0])
    # A prediction that changed replaces the old one.
    samples[0]['pred_sem_seg'] = dict(data=torch.full((1, *SIZE), 3))
    write(samples, type='MaskWriter', out_dir=str(out))
    assert (np.array(Image.open(out / 'cat' / '001.png')) == 3).all()


def test_two_runs_of_different_origin(tmp_path, monkeypatch):
    """One that has written nothing yet holds its folder while it lives, also if the
    clock is set back."""
    folder = str(tmp_path / 'seeds')
    check_origin(folder, dict(weights='a'), '.npz')
    check_origin(folder, dict(weights='b'), '.npz')  # The first was refused.
    other = subprocess.Popen(['sleep', '60'])
    start = start_of_process(other.pid)
    folder_ledger(folder).note(process=[other.pid, start])
    began, booted = psutil.Process.create_time, psutil.boot_time
    for seconds in (0, 86400):
        monkeypatch.setattr('psutil.boot_time', lambda: booted() - seconds)  # noqa: B023
        monkeypatch.setattr('psutil.Process.create_time',
                            lambda self: began(self) - seconds)  # noqa: B023
        with pytest.raises(FileExistsError,
                           match='another run .*another weights works'):
            check_origin(folder, dict(weights='a'), '.npz')
    check_origin(folder, dict(weights='b'), '.npz')
    open(os.path.join(folder, 'cat.npz'), 'w').close()
    with pytest.raises(FileExistsError, match='another run .*another weights works'):
        check_origin(folder, dict(weights='a'), '.npz', renew=True)
    os.remove(os.path.join(folder, 'cat.npz'))
    other.kill()
    other.wait()
    check_origin(folder, dict(weights='a'), '.npz')


def test_renewing_leaves_what_it_did_not_write(tmp_path, monkeypatch):
    """Files of another kind, the working directory, and the disk behind a link."""
    real, link = tmp_path / 'disk' / 'seeds', tmp_path / 'seeds'
    real.mkdir(parents=True)
    link.symlink_to(real)

    def make(weights, renew=False):
        check_origin(str(link), dict(weights=weights), '.npz', renew)
        (link / f'{weights}.npz').touch()

    make('a')
    with pytest.raises(FileExistsError, match=f'become {real}.previous by --renew'):
        make('b')
    for weights, previous in ('ba', 'cb'):
        make(weights, renew=True)
        assert [path.name for path in real.glob('*.npz')] == [f'{weights}.npz']
        assert (tmp_path / f'disk/seeds.previous/{previous}.npz').exists()
    (real / 'model.pth').touch()
    with pytest.raises(FileExistsError, match=r'seeds holds model\.pth, too'):
        make('d', renew=True)
    (real / 'model.pth').unlink()
    monkeypatch.chdir(real)
    with pytest.raises(FileExistsError, match='seeds holds the working directory'):
        make('d', renew=True)
    assert (real / 'c.npz').exists()
    assert (tmp_path / 'disk/seeds.previous/b.npz').exists()

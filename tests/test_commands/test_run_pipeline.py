# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""``mmwsss run`` as a user calls it, tiny: nothing is learnt."""

import shutil

import pytest
import timm
import torch

from mmwsss.commands.run import run
from mmwsss.utils import read_config, read_json, read_lines

QUICK = [
    f'steps.{step}.cfg_options.{key}={value}'
    for step in ('train_localizer', 'train_segmentor', 'train_full')
    for key, value in {
        'train_cfg.epochs': 0.1, 'train_cfg.min_iters': 1,
        'train_dataloader.batch_size': 2, 'train_dataloader.num_workers': 0,
        'train_dataloader.persistent_workers': False}.items()]


@pytest.fixture
def own(voc_root, tmp_path):
    """Twelve images with tags and masks, and weights that know nothing."""
    root = tmp_path / 'own'
    shutil.copytree(voc_root / 'JPEGImages', root / 'photos')
    shutil.copytree(voc_root / 'SegmentationClass', root / 'masks')
    shutil.copy(voc_root / 'image_labels.json', root / 'tags.json')
    shutil.copy(voc_root / 'classes.txt', root)
    torch.save(timm.create_model('mobilenetv1_100').state_dict(),
               tmp_path / 'weights.pth')
    return root


def test_from_a_folder_to_a_report(own, tmp_path, capfd):
    # Half of its owner's val list chooses, the other half scores.
    ids = sorted(path.stem for path in (own / 'photos').iterdir())
    (own / 'val.txt').write_text('\n'.join(ids[:4]))
    call = dict(data=str(own), out=str(tmp_path / 'out'), preset='cpu',
                weights=str(tmp_path / 'weights.pth'), cfg_options=QUICK)
    # So few images of each class, and a model that knows nothing, are problems.
    assert run(**call, force=True, full=True) == call['out']
    said = capfd.readouterr().out
    assert '12 photos in photos' in said and 'tools/pipeline.py' in said
    out = tmp_path / 'out'
    assert (out / 'report.html').stat().st_size > 10_000
    page = (out / 'report.html').read_text()
    # A model that knows nothing, beside one that has learnt from masks for a step.
    summary = read_json(out / 'summary.json')
    [entry] = summary['headline']
    assert entry['title'] == 'Segmentation mIoU on test'
    assert entry['share'] == pytest.approx(entry['value'] / entry['full'])
    told = f'{entry["share"]:.2f} of full supervision ({entry["full"]:.1f} with all'
    assert told in said and told in (out / 'summary.md').read_text()
    assert f'% of {entry["full"]:.1f} with full masks' in page
    # Said before the training and before the segmentation model's.
    assert 'photos and tags: too few' in page and 'of the pseudo labels is' in page
    assert read_config(str(out / 'configs' / 'train_full.py')).train_dataloader.dataset[
        'data_prefix']['seg_map_path'] == str(out / 'data' / 'masks')
    held = read_lines(out / 'data' / 'val.txt')
    assert not {*held} & {*read_lines(out / 'data' / 'train.txt')}
    assert read_json(out / 'choose' / 'metrics.json')['chosen/by'] == (
        f'{len(held)} masks of val')
    assert {path.stem for path in (out / 'predict' / 'masks').iterdir()} == {
        path.stem for path in (own / 'photos').iterdir()}


def test_full_needs_masks(own, tmp_path, monkeypatch):
    monkeypatch.setattr('mmwsss.commands.run.call_tool', lambda *_: None)
    copies = tmp_path / 'out' / 'data'
    (copies / 'masks').mkdir(parents=True)
    (copies / 'train.txt').write_text('a\nb')
    call = dict(data=str(own), out=str(tmp_path / 'out'), preset='cpu', full=True)
    (copies / 'masks' / 'a.png').touch()
    with pytest.raises(FileNotFoundError, match="1 training photos have no mask.*'b'"):
        run(**call)
    (copies / 'masks' / 'b.png').touch()
    with pytest.raises(FileNotFoundError, match='too few masks to score on'):
        run(**call)
    (copies / 'test.txt').touch()
    run(**call)

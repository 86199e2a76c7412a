# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""``mmwsss run --method clip`` as a user calls it, with a tiny random CLIP."""

import json
import shutil
from pathlib import Path

import pytest
import timm
import torch
from clip_waves import TINY
from mmengine.config import Config
from PIL import Image
from shortcuts import plain_text
from test_method_pipelines import run_forked

from mmwsss.commands.run import run
from mmwsss.commands.tools import ToolFailed
from mmwsss.structures import Seed
from mmwsss.utils import project_path, read_json, read_lines
from mmwsss.utils.checkpoint import load_weights

pytest.importorskip('open_clip')
ROOT = Path(__file__).parents[2]
CONFIGS = 'projects/clip_es/configs'
QUICK = [
    f'steps.train_segmentor.cfg_options.{key}={value}' for key, value in {
        'train_cfg.epochs': 0.1, 'train_cfg.min_iters': 1,
        'train_dataloader.batch_size': 2, 'train_dataloader.num_workers': 0,
        'train_dataloader.persistent_workers': False}.items()]


@pytest.fixture
def own(voc_root, tmp_path):
    """Twelve images with masks; the first class is on every one."""
    root = tmp_path / 'own'
    shutil.copytree(voc_root / 'JPEGImages', root / 'photos')
    shutil.copytree(voc_root / 'SegmentationClass', root / 'masks')
    classes = [line for line in read_lines(str(voc_root / 'classes.txt'))
               if line != 'background']
    (root / 'classes.txt').write_text('\n'.join(classes))
    names = sorted(path.stem for path in (root / 'photos').iterdir())
    (root / 'tags.json').write_text(json.dumps({
        name: sorted({classes[0], classes[i % len(classes)]})
        for i, name in enumerate(names)}))
    (root / 'test.txt').write_text('\n'.join(names[:4]))
    (root / 'val.txt').write_text('\n'.join(names[4:6]))
    return root


@pytest.fixture
def options(tmp_path):
    """Of a recipe: a CLIP and a segmentation model that know nothing."""
    config = tmp_path / 'tiny.py'
    config.write_text(f"""
_base_ = {str(ROOT / CONFIGS / 'clip_es_vit-b16_folder.py')!r}
model = dict(
    backbone=dict(arch={TINY!r}, attention_layers=2), decode_head=dict(arch={TINY!r}))
# Of a CLIP that knows nothing, no label is sure.
label_rule = dict(min_confidence=0.)
""")
    weights = tmp_path / 'weights.pth'
    torch.save(timm.create_model('mobilenetv1_100').state_dict(), weights)
    return [f'localizer={config}', 'weights=random', f'segmentor_weights={weights}',
            *QUICK]


@pytest.fixture
def log(tmp_path, monkeypatch):
    """What the tools say, which run in forks of this process."""
    path = tmp_path / 'log.txt'

    def call_tool(name, *arguments):
        command = ['python', project_path(*name.split('/')), *arguments]
        status = run_forked(None, command, str(path))
        if status:
            raise ToolFailed(command, status)

    monkeypatch.setattr('mmwsss.commands.run.call_tool', call_tool)
    monkeypatch.setattr('mmwsss.recipes.recipe_runner.StepProcesses.run', run_forked)
    monkeypatch.setattr(Config, 'pretty_text', property(plain_text))
    monkeypatch.syspath_prepend(ROOT)
    monkeypatch.chdir(ROOT)
    return path


def test_from_a_folder_to_a_report(own, options, tmp_path, log):
    """A class on every image stops nothing; words come from prompts.txt."""
    words = read_lines(str(own / 'classes.txt'))
    (own / 'prompts.txt').write_text('\n'.join(['Teppich,rug', *words[1:]]))
    call = dict(data=str(own), out=str(tmp_path / 'out'), preset='cpu', method='clip',
                cfg_options=options)
    assert run(**call) == call['out']
    assert '(too few)' in log.read_text()
    out = tmp_path / 'out'
    assert (out / 'report.html').stat().st_size > 10_000
    assert not (out / 'train_localizer').exists()
    found = load_weights(str(out / 'clip' / 'clip.pth'))['decode_head.class_words']
    assert found.shape == (len(words), 16)
    labels = {path.stem for path in (out / 'pseudo_labels').glob('*.png')}
    assert labels == {path.stem for path in (own / 'photos').iterdir()} - {
        *read_lines(str(own / 'test.txt'))}
    assert 0 <= read_json(str(out / 'test' / 'metrics.json'))['mask/mIoU'] <= 100
    assert {path.stem for path in (out / 'predict' / 'masks').iterdir()} == {
        path.stem for path in (own / 'photos').iterdir()}


def test_a_recipe_by_its_path(own, options, tmp_path, log):
    """The same of a recipe in a file, which says itself that it knows the classes;
    without masks or other words, of classes in any script, of grey and tiny images.
    """
    shutil.rmtree(own / 'masks')
    for name in ('test.txt', 'val.txt'):
        (own / name).unlink()
    for path in sorted((own / 'photos').iterdir())[6:]:
        path.unlink()
    names = ['天空', 'собака', 'κύκλος']
    (own / 'classes.txt').write_text('\n'.join(names), encoding='utf-8')
    images = sorted(path.stem for path in (own / 'photos').iterdir())
    tags = {name: [names[0], names[1 + i % 2]] for i, name in enumerate(images)}
    (own / 'tags.json').write_text(json.dumps(tags), encoding='utf-8')
    # A row of patches, and a single one.
    for name, size in zip(images, [(40, 9), (7, 12)], strict=False):
        path = next((own / 'photos').glob(f'{name}.*'))
        Image.open(path).convert('L').resize(size).save(path)
    recipe = tmp_path / 'my_recipe.py'
    recipe.write_text(f"""
_base_ = {str(ROOT / CONFIGS / 'clip_es_mobilenetv1_folder_pipeline.py')!r}
title = 'My recipe'
steps = [
    *_base_.steps[:4],
    dict(
        _base_.report_step, headline=[], curves=[],
        sections=[dict(_base_.section, columns=_base_.columns[:1])])
]
""")
    call = dict(data=str(own), out=str(tmp_path / 'out'), preset='cpu',
                method=str(recipe), cfg_options=options[:2])
    assert run(**call) == call['out']
    assert 'no problem found' in log.read_text()
    out = tmp_path / 'out'
    page = (out / 'report.html').read_text(encoding='utf-8')
    assert 'My recipe' in page and all(name in page for name in names)
    seeds = {path.stem: Seed.load(str(path)) for path in (out / 'seeds').glob('*.npz')}
    assert sorted(seeds) == images
    row, single = (seeds[name] for name in images[:2])
    # A single patch has no map.
    assert not single.scores.any() and single.size == (12, 7)
    assert row.scores.any() and row.size == (9, 40)
    for name in images:
        assert {names[i - 1] for i in seeds[name].labels.tolist()} == {*tags[name]}
    assert {path.stem for path in (out / 'pseudo_labels').glob('*.png')} == {*images}

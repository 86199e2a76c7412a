# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import sys

import pytest
from mmseg.registry import TRANSFORMS

import mmwsss
from mmwsss.apis import label_photos
from mmwsss.datasets.annotations import export_masks
from mmwsss.datasets.transforms import SetRandomState
from mmwsss.recipes import Recipe
from mmwsss.recipes.recipe import substitute
from mmwsss.utils import read_config, renamed
from mmwsss.utils.renamed import renamed_arguments


@pytest.fixture(autouse=True)
def said(monkeypatch):
    """The warnings, a line each; nothing has been said before."""
    lines = []
    monkeypatch.setattr(
        'builtins.print', lambda text, file: lines.append((text, file)))
    renamed.warn_renamed.cache_clear()
    return lines


def test_a_part_is_built_by_its_old_type(said):
    for _ in range(2):
        assert type(TRANSFORMS.build(dict(type='SeedAugmentation'))) is SetRandomState
    (line, file), = said
    assert 'SeedAugmentation is called SetRandomState now' in line
    assert file is sys.stderr
    TRANSFORMS.build(dict(type='SetRandomState'))
    assert len(said) == 1


def test_every_old_type_has_a_new_one():
    import mmseg.registry
    for registry, names in renamed.PARTS.items():
        for new in names.values():
            assert getattr(mmseg.registry, registry).get(new) is not None


def test_arguments(said):

    class Part:

        @renamed_arguments(bg_score='bg_thr')
        def __init__(self, bg_thr=0.1):
            self.bg_thr = bg_thr

    assert [Part().bg_thr, Part(0.2).bg_thr, Part(bg_thr=0.3).bg_thr] == [0.1, 0.2, 0.3]
    assert not said
    # The user's config says the old name, ours that it inherits the new one.
    assert [Part(bg_score=0.4).bg_thr, Part(bg_thr=0.3, bg_score=0.5).bg_thr] == [
        0.4, 0.5]
    assert len(said) == 1
    with pytest.raises(TypeError, match='other'):
        Part(other=1)


def test_arguments_of_functions(tmp_path, said):
    nowhere = str(tmp_path / 'nowhere')
    with pytest.raises(FileNotFoundError, match='nowhere'):
        mmwsss.predict(nowhere, photos='a.jpg')
    with pytest.raises(ValueError, match='images_per_shard must be at least 1.* got 0'):
        label_photos('config', 'weights', nowhere, nowhere, photos_per_shard=0)
    with pytest.raises(FileNotFoundError, match='nowhere'):
        export_masks(nowhere, photos=nowhere, classes=['cat'], out=nowhere)
    assert len(said) == 2


def test_config(tmp_path, said):
    """Options have their effect by either name, whichever the files use."""
    (tmp_path / 'base.py').write_text(
        "model = dict(decode_head=dict(type='CAMHead', bg_thr=0.1))\n"
        "walk = dict(type='mmseg.WalkLabel', bg_thr=0.2)\n"
        "loss = dict(type='FSAELoss', threshold=0.9)\n"
        "threshold = 0.5\n")
    path = tmp_path / 'user.py'
    path.write_text(
        "_base_ = 'base.py'\n"
        "model = dict(decode_head=dict(bg_score=0.3))\n"
        "walk = dict(threshold=0.4)\n"
        "steps = [dict(type='LoadPhoto'), dict(type='Pair', of=[\n"
        "    dict(type='SeedAugmentation')])]\n")
    cfg = read_config(path)
    assert cfg.model.decode_head == dict(type='CAMHead', bg_thr=0.3)
    assert cfg.walk == dict(type='mmseg.WalkLabel', bg_thr=0.4)
    assert cfg.steps[0].type == 'LoadPILImage'
    assert cfg.steps[1].of[0].type == 'SetRandomState'
    # Other parts and variables keep theirs.
    assert cfg.loss.threshold == 0.9 and cfg.threshold == 0.5
    assert len(said) == 4
    for name in ('bg_thr', 'bg_score'):
        cfg = read_config(path, {f'model.decode_head.{name}': 0.6})
        assert cfg.model.decode_head == dict(type='CAMHead', bg_thr=0.6)


def test_an_old_type_keeps_its_defaults(tmp_path, said):
    path = tmp_path / 'user.py'
    for given, second_view in (('', 0.3), (', second_view=0.5', 0.5)):
        path.write_text(f"model = dict(type='SEAM'{given})")
        model = read_config(path).model
        assert model == dict(type='WeakSegmentor', second_view=second_view)
    assert len(said) == 1


def test_old_keys_of_meta_information(tmp_path, said):
    path = tmp_path / 'user.py'
    path.write_text(
        "pipeline = [dict(type='PackWeakInputs', meta_keys=('img_path', "
        "'image_labels')), dict(type='PackSegInputs', meta_keys=('img_path', ))]\n")
    packed, other = read_config(path).pipeline
    assert packed.meta_keys == ['img_path', 'tags']
    assert other.meta_keys == ('img_path', )
    assert len(said) == 1


def test_recipe(tmp_path, said):
    (tmp_path / 'c.py').write_text('a = 1')
    path = tmp_path / 'recipe.py'
    path.write_text(
        "bg_thr = 0.1\nthreshold = 0.2\n"
        "steps = [dict(type='refine', config='c.py', seeds='s', refiner='none',\n"
        "              threshold='{threshold}'),\n"
        "         dict(type='train', config='c.py', args=['thr={threshold}'],\n"
        "              cfg_options={'loss': dict(threshold=0.9)}),\n"
        "         dict(type='report', config='c.py', sections=[dict(\n"
        "             columns=[dict(title='Seed', bg_thr=0.1, threshold=0.3)])])]\n")

    def value(**options):
        recipe = Recipe(str(path), str(tmp_path), {
            key.replace('__', '.'): value for key, value in options.items()})
        spec = substitute(recipe['refine'].spec, recipe.values({}))
        assert 'threshold' not in spec
        train = substitute(recipe['train'].spec, recipe.values({}))
        assert train['args'] == [f'thr={recipe.variables["bg_thr"]}']
        assert train['cfg_options'] == dict(loss=dict(threshold=0.9))
        column, = recipe['report'].spec['sections'][0]['columns']
        assert column == dict(title='Seed', bg_thr=0.3)
        return spec['bg_thr']

    assert value() == 0.2
    assert value(bg_thr=0.4) == value(threshold=0.4) == 0.4
    assert value(steps__refine__bg_thr=0.5) == 0.5
    assert value(steps__refine__threshold=0.6) == 0.6
    assert len(said) == 1

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import argparse
import math
import os.path as osp

import pytest
from tool_runner import load_tool, run_tool

from mmwsss.commands.run import METHODS, find_recipe
from mmwsss.recipes import Recipe
from mmwsss.utils import load_config, project_path, read_config
from mmwsss.utils.epochs import resolve_epochs, shortened, stages_of

GB = 10**9


@pytest.fixture(scope='module')
def tool():
    return load_tool('analysis_tools/recipe_minutes')


def known(method, costs):
    """What is measured of each training of a method, by its config's file."""
    recipe = Recipe(find_recipe(method, 'cpu'))
    return {recipe.config_path(step): dict(stages=stages, image=image, bytes=size)
            for name, (stages, image, size) in costs.items()
            for step in [recipe[name]]}


def minutes(tool, tmp_path, method, costs, images):
    tool.make_images(str(tmp_path), 2)
    args = argparse.Namespace(preset='cpu', images=images)
    return tool.measure_recipe(method, args, str(tmp_path), known(method, costs))


def test_minutes_of_cam(tool, tmp_path):
    found, memory = minutes(tool, tmp_path, 'cam', dict(
        train_localizer=({'': 2.}, 0.5, 3 * GB), train_segmentor=({'': 3.}, 0.7, GB)
    ), [40, 1000, 20_000])
    assert memory == 3 * GB
    for count, told in zip((40, 1000, 20_000), found, strict=True):
        # Twelve and ten epochs of batches of 8, but 150 and 200 iterations at least
        # and 2,000 at most.
        seconds = (2 * min(max(150, 12 * count / 8), 2000)
                   + 3 * min(max(200, 10 * count / 8), 2000))
        # Seeds see each image at 0.5, 1 and 1.5, turned over too; predictions once.
        seconds += count * (2 * (0.25 + 1 + 2.25) * 0.5 + 0.7)
        # To choose on 200 images, a CRF, checks of 1,000 at most, and the report.
        seconds += min(count, 200) * 0.4 + min(count, 1000) * 0.02
        seconds += count * (0.4 + 0.02)
        assert told == pytest.approx((seconds + 8 * 5) / 60)


def test_stages_count_each(tool, tmp_path):
    def of(**stages):
        return minutes(tool, tmp_path, 'esol', dict(
            train_localizer=(stages, 0., GB), train_segmentor=({'': 0.}, 0., GB)
        ), [800])[0][0]

    nothing = of(classify=0., expand=0., shrink=0.)
    assert of(classify=1., expand=0., shrink=0.) - nothing == pytest.approx(
        8 * 800 / 8 / 60)
    assert of(classify=0., expand=2., shrink=3.) - nothing == pytest.approx(
        5 * math.ceil(3 * 800 / 8) / 60)


@pytest.mark.parametrize('method', METHODS)
def test_images_for_a_laptop(method):
    """Up to 1,000 images epochs count; of 20,000 no part trains on for days."""
    recipe = Recipe(find_recipe(method, 'cpu'))
    paths = {recipe.config_path(step) for step in recipe.steps if step.type == 'train'}
    assert paths
    for path in paths:
        cfg = load_config(path, import_custom_modules=False)
        assert shortened(cfg, 1000) == {}
        parts = [*stages_of(cfg)] or [cfg.train_cfg]
        assert {part.get('cap_iters') for part in parts} == {2000}
        resolve_epochs(cfg, 20_000)
        assert cfg.train_cfg.max_iters == 2000 * len(parts)


def test_fsae_is_measured_with_its_second_pass(tool, tmp_path, monkeypatch):
    """A network of random weights is sure of nothing at the config's threshold."""
    monkeypatch.syspath_prepend(osp.dirname(tool.__file__))
    cfg = read_config(project_path('configs', 'fsae', 'fsae_cam_demo.py'))
    short = tool.short(cfg, 'masks', str(tmp_path))
    assert 0 < short.model.loss_fsae.threshold < 1 / cfg.model.decode_head.num_classes
    assert 'threshold' not in cfg.model.loss_fsae


def test_bad_words(capsys):
    for words, said in ((['cams'], 'no method cams'), (['--images', 0], 'at least 1')):
        with pytest.raises(SystemExit):
            run_tool('analysis_tools/recipe_minutes', *words)
        assert said in capsys.readouterr().err

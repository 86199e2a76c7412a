# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""tools/pipeline.py, and one real run from tags to a trained model."""

import os
import signal
import subprocess
import sys
import time

import pytest
import torch

from mmwsss.engine.runner import load_checkpoint_file
from mmwsss.recipes import Recipe, RecipeRunner
from mmwsss.recipes.export import export_sh
from mmwsss.recipes.process import kill_leftovers
from mmwsss.utils import project_path

TOOL = project_path('tools', 'pipeline.py')


@pytest.fixture(autouse=True)
def find_package(monkeypatch):
    """Let tools import mmwsss where it is not installed."""
    root = os.path.dirname(project_path('tools'))
    paths = [root, *filter(None, [os.environ.get('PYTHONPATH')])]
    monkeypatch.setenv('PYTHONPATH', os.pathsep.join(paths))


def test_command_line(tmp_path):
    recipe = tmp_path / 'toy_pipeline.py'
    recipe.write_text(
        "steps = [dict(name='a', type='command', command=['echo', 'done'])]")

    def run(*options):
        return subprocess.run(
            [sys.executable, TOOL, str(recipe), '--work-dir', str(tmp_path / 'work'),
             *options], capture_output=True, text=True)

    planned = run('--dry-run')
    assert 'a (command): run, not run yet\n    echo done' in planned.stdout
    assert not (tmp_path / 'work').exists()
    done = run()
    assert done.returncode == 0 and '[1/1] a: done' in done.stdout
    assert '| a | done | 0:00 |' in (tmp_path / 'work/summary.md').read_text()
    wrong = run('--only', 'b')
    assert wrong.returncode == 2
    assert "has no step 'b'; it has a" in wrong.stderr


def test_recipes_are_whole(tmp_path):
    """Every recipe names steps, configs and options that exist."""
    (tmp_path / 'classes.txt').write_text('owl')
    folder = project_path('configs')
    recipes = [os.path.join(root, name) for root, _, names in os.walk(folder)
               for name in names if name.endswith('_pipeline.py')]
    assert len(recipes) >= 7
    for path in recipes:
        options = dict(data_root=str(tmp_path)) if 'folder' in path else {}
        line = RecipeRunner(Recipe(path, cfg_options=options))
        assert line.recipe.steps[-1].type == 'report'
        for step in line.recipe.steps:
            cfg = line.job(step).config if not _numbers(step) else None
            assert cfg is None or 'custom_imports' in cfg
        script = export_sh(line, line.recipe.steps, ['tool'], [])
        assert script.count('recipe --prepare') == len(line.recipe.steps)
        assert '{' not in script.split('set -eu')[1].replace(
            'recipe() {', '').replace("--value '{", '')


def _numbers(step):
    return ':' in str(step.spec.get('cfg_options', ''))


SMALL = """
_base_ = {esol!r}
data_root = {data_root!r}
localizer = {localizer!r}
segmentor = {segmentor!r}
score_list = 'ImageSets/Segmentation/train.txt'
masks = 'SegmentationClass'
quick = {{
    'train_dataloader.batch_size': 4,
    'train_dataloader.num_workers': 0,
    'train_dataloader.persistent_workers': False,
    'val_dataloader.num_workers': 0,
    'val_dataloader.persistent_workers': False,
    'test_dataloader.num_workers': 0,
    'test_dataloader.persistent_workers': False,
    'default_hooks.checkpoint.interval': 3,
    'default_hooks.checkpoint.max_keep_ckpts': -1,
}}
five = {{f'custom_hooks.0.stages.{{i}}.iters': 5 for i in range(3)}}
plain = {{
    'seed_dataloader.num_workers': 0,
    'seed_dataloader.persistent_workers': False
}}
keep = ('train_localizer', 'seeds_shrink', 'pseudo_labels', 'train_segmentor', 'test')
changes = dict(
    train_localizer={{**quick, **five, 'train_cfg.max_iters': 15,
                     'train_cfg.val_interval': 15}},
    seeds_shrink=plain,
    train_segmentor={{**quick, 'train_cfg.max_iters': 10,
                     'train_cfg.val_interval': 10}},
    test=quick)
steps = [step for step in
         [*_base_.localization_steps, *_base_.segmentation_steps]
         if step['name'] in keep]
for step in steps:
    step['cfg_options'] = {{**step.get('cfg_options', {{}}),
                           **changes.get(step['name'], {{}})}}
    if step['name'] == 'pseudo_labels':
        step['bg_thr'] = 0.3
        step['jobs'] = 0
"""


@pytest.fixture
def small_recipe(tmp_path, voc_root):
    """The demo's recipe, cut down to the steps that write, and tiny."""
    path = tmp_path / 'small_pipeline.py'
    path.write_text(SMALL.format(
        esol=project_path('configs', '_base_', 'recipes', 'esol.py'),
        data_root=str(voc_root),
        localizer=project_path('configs', 'esol', 'esol_demo.py'),
        segmentor=project_path('configs', 'deeplab', 'deeplabv2_demo.py')))
    return str(path)


def start(recipe_path, work_dir):
    """Run the pipeline in a process of its own."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            RecipeRunner(Recipe(recipe_path, work_dir)).run()
            code = 0
        finally:
            os._exit(code)
    return child


def kill_when(recipe_path, work_dir, is_reached):
    """kill -9 the pipeline and its tool at a moment."""
    child = start(recipe_path, work_dir)
    while not is_reached():
        assert os.waitpid(child, os.WNOHANG) == (0, 0), 'the pipeline ended'
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    kill_leftovers(work_dir)
    os.waitpid(child, 0)


SLOW_FILES = """
import os, time

replace = os.replace

def replace_slowly(source, target):
    replace(source, target)
    if str(target).endswith(('.pth', '.npz', '.png')):
        time.sleep(0.5)

os.replace = replace_slowly
"""


@pytest.fixture
def slow_files(tmp_path, monkeypatch):
    """Let tools pause after each file, so that a kill falls between two."""
    folder = tmp_path / 'slow'
    folder.mkdir()
    (folder / 'sitecustomize.py').write_text(SLOW_FILES)
    paths = [str(folder), os.environ['PYTHONPATH']]
    with monkeypatch.context() as patch:
        patch.setenv('PYTHONPATH', os.pathsep.join(paths))
        yield patch


def count(*parts):
    folder = os.path.join(*parts)
    if not os.path.isdir(folder):
        return 0
    return len([name for name in os.listdir(folder) if not name.startswith('.')])


def weights(line, step, name):
    checkpoint = load_checkpoint_file(os.path.join(line.recipe.folder(step), name))
    return checkpoint['state_dict']


def outputs(line, step, suffix):
    folder = line.recipe.folder(step)
    files = {}
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith('.')]
        for name in names:
            if name.endswith(suffix) and 'vis_data' not in root:
                with open(os.path.join(root, name), 'rb') as file:
                    files[os.path.relpath(os.path.join(root, name), folder)] = \
                        file.read()
    return files


def test_killed_run_ends_like_an_unbroken_one(small_recipe, tmp_path, slow_files):
    """kill -9 in a later stage, among seeds, among pseudo labels, in training."""
    broken = str(tmp_path / 'broken')
    kill_when(small_recipe, broken,
              lambda: os.path.exists(f'{broken}/train_localizer/iter_9.pth'))
    assert not os.path.exists(f'{broken}/train_localizer/stage_shrink.pth')
    for step, reached in (('seeds_shrink', 3), ('pseudo_labels', 2)):
        kill_when(small_recipe, broken, lambda: count(broken, step) >= reached)  # noqa: B023
        assert reached <= count(broken, step) < 8
    kill_when(small_recipe, broken,
              lambda: os.path.exists(f'{broken}/train_segmentor/iter_6.pth'))
    assert not os.path.exists(f'{broken}/train_segmentor/iter_10.pth')
    slow_files.undo()

    killed = RecipeRunner(Recipe(small_recipe, broken))
    killed.run()
    whole = RecipeRunner(Recipe(small_recipe, str(tmp_path / 'whole')), preload=False)
    whole.run()
    for step, names in dict(
            train_localizer=('stage_classify.pth', 'stage_expand.pth',
                             'stage_shrink.pth'),
            train_segmentor=('iter_10.pth', )).items():
        for name in names:
            expected, found = weights(whole, step, name), weights(killed, step, name)
            assert expected.keys() == found.keys()
            for key, tensor in expected.items():
                assert torch.equal(tensor, found[key]), (step, name, key)
    for step, suffix, number in (('seeds_shrink', '.npz', 8),
                                 ('pseudo_labels', '.png', 8), ('test', '.png', 4)):
        expected = outputs(whole, step, suffix)
        assert len(expected) == number
        assert outputs(killed, step, suffix) == expected
    for step in whole.recipe.steps:
        assert killed.record(step)['metrics'] == whole.record(step)['metrics']
    assert 'mIoU' in whole.record(whole.recipe['test'])['metrics']

    again = RecipeRunner(Recipe(small_recipe, broken))
    again.run()
    assert set(again.outcomes.values()) == {'unchanged'}

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import re
import runpy
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import mmwsss
from mmwsss.commands import VERBS, cam, check, export, predict, preview, run, tools
from mmwsss.commands.command_line import call_verb, parse_args
from mmwsss.commands.run import METHODS, PRESETS, PROJECTS, find_recipe
from mmwsss.commands.tools import ToolFailed, call_tool
from mmwsss.recipes import Recipe
from mmwsss.utils import project_path

PROJECT_RECIPES = [
    str(Path(__file__).parents[2].joinpath('projects', name, 'configs', recipe))
    for name, recipe in (('clip_es', 'clip_es_mobilenetv1_folder_pipeline.py'),
                         ('weclip', 'weclip_folder_pipeline.py'))]


@pytest.fixture
def calls(monkeypatch):
    """The plain commands that a verb would run."""
    made = []

    def note(name, *arguments):
        assert project_path(*name.split('/'))
        made.append([name, *arguments])

    for module in (cam, check, export, predict, preview, run):
        monkeypatch.setattr(module, 'call_tool', note)
    return made


def test_help_imports_nothing_heavy():
    code = ('import sys, mmwsss\nfrom mmwsss.commands.command_line import main\n'
            'try: main()\nexcept SystemExit: pass\n'
            'print(sorted({"torch", "mmengine", "numpy"} & set(sys.modules)))')
    for words in (['--help'], ['run', '--help']):
        done = subprocess.run([sys.executable, '-c', code, *words], text=True,
                              capture_output=True, stdin=subprocess.DEVNULL)
        assert 'usage: mmwsss' in done.stdout
        assert done.stdout.splitlines()[-1] == '[]'


@pytest.mark.parametrize('verb', VERBS)
def test_every_verb_is_whole(verb):
    module = import_module(f'mmwsss.commands.{verb}')
    assert callable(module.add_arguments)
    assert getattr(mmwsss, verb) is getattr(module, verb)
    assert verb in mmwsss.__all__
    with pytest.raises(SystemExit) as ended:
        parse_args([verb, '--no-such-option'])
    assert ended.value.code == 2


def test_run_stands_for_two_commands(calls, tmp_path):
    (tmp_path / 'own').mkdir()
    (tmp_path / 'w.pth').touch()
    out = str(tmp_path / 'out')
    args = parse_args([
        'run', str(tmp_path / 'own'), '--out', out, '--preset', 'cpu', '--weights',
        str(tmp_path / 'w.pth'), '--cfg-options', 'title=x', '--force'])
    assert call_verb(args) == 0
    (lay_out, pipeline) = calls
    assert lay_out == [
        'tools/dataset_converters/own_photos.py', str(tmp_path / 'own'), '--out',
        f'{out}/data', '--max-long', '384', '--force']
    assert pipeline[0] == 'tools/pipeline.py'
    assert pipeline[1].endswith('configs/cam/cam_mobilenetv1_folder_pipeline.py')
    assert pipeline[2:] == [
        '--work-dir', out, '--ignore-checks', '--cfg-options',
        f'data_root={out}/data', f'weights={tmp_path}/w.pth', 'title=x']


def test_lists_are_handed_on_where_masks_choose(calls, tmp_path):
    (tmp_path / 'out' / 'data').mkdir(parents=True)
    for name in ('train', 'seeds', 'val'):
        (tmp_path / 'out' / 'data' / f'{name}.txt').touch()
    mmwsss.run(data=str(tmp_path), out=str(tmp_path / 'out'), preset='gpu')
    options = calls[1]
    assert f'train_list={tmp_path}/out/data/train.txt' in options
    assert f'val_list={tmp_path}/out/data/val.txt' in options
    assert not any(word.startswith('test_list') for word in options)


def test_what_was_said_of_the_images_is_for_the_report(calls, tmp_path):
    checks = tmp_path / 'out' / 'data' / 'checks.json'
    checks.parent.mkdir(parents=True)
    checks.write_text('[]')
    own = tmp_path / 'own.py'
    own.touch()
    for method in ('cam', str(own)):
        mmwsss.run(data=str(tmp_path), out=str(tmp_path / 'out'), preset='cpu',
                   method=method)
    assert [f'photo_checks={checks}' in call for call in calls] == [
        False, True, False, False]


def test_words_for_clip(calls, tmp_path):
    (tmp_path / 'prompts.txt').write_text('tabby,kitten\n')
    for method in ('clip', 'cam'):
        mmwsss.run(data=str(tmp_path), out=str(tmp_path / method), preset='cpu',
                   method=method)
    assert 'prompts=prompts.txt' in calls[1] and 'prompts=prompts.txt' not in calls[3]
    assert (tmp_path / 'clip/data/prompts.txt').read_text() == 'tabby,kitten\n'
    # CLIP needs no images without a class.
    assert ['--known-classes' in call for call in calls] == [True, False, False, False]
    # A recipe of one's own that does not read the words says so; words that are gone
    # are forgotten.
    own = tmp_path / 'own.py'
    own.write_text('title = "mine"')
    call = dict(data=str(tmp_path), out=str(tmp_path / 'own'), method=str(own))
    mmwsss.run(**call)
    assert (tmp_path / 'own/data/prompts.txt').exists()
    assert 'prompts=prompts.txt' not in calls[5]
    (tmp_path / 'prompts.txt').unlink()
    mmwsss.run(**call)
    assert not (tmp_path / 'own/data/prompts.txt').exists()


@pytest.mark.parametrize('text, known, reads', [
    ('', False, False), ('known_classes = True', True, False),
    ('known_classes = False\nprompts = "classes.txt"', False, True),
    *((f'_base_ = {path!r}\ntitle = "mine"', True, True) for path in PROJECT_RECIPES),
], ids=['nothing', 'classes', 'words', 'clip_es', 'weclip'])
def test_what_a_recipe_says_of_itself(calls, tmp_path, text, known, reads):
    """A file behaves as the method whose recipe it is or inherits."""
    (tmp_path / 'prompts.txt').write_text('tabby\n')
    recipe = tmp_path / 'recipe.py'
    recipe.write_text(text)
    mmwsss.run(data=str(tmp_path), out=str(tmp_path / 'out'), method=str(recipe))
    lay_out, pipeline = calls
    assert ('--known-classes' in lay_out) == known
    assert ('prompts=prompts.txt' in pipeline) == reads
    # What the command line says comes last.
    calls.clear()
    mmwsss.run(data=str(tmp_path), out=str(tmp_path / 'out'), method=str(recipe),
               cfg_options=['prompts=others.txt'])
    assert calls[1][-1] == 'prompts=others.txt'


def test_a_recipe_that_cannot_be_read(calls, tmp_path):
    recipe = tmp_path / 'recipe.py'
    recipe.write_text('1 +')
    with pytest.raises(ValueError, match='cannot read the config .*recipe.py: line 1'):
        mmwsss.run(data=str(tmp_path), out=str(tmp_path / 'out'), method=str(recipe))
    assert calls == []


@pytest.mark.parametrize('preset', PRESETS)
@pytest.mark.parametrize('method', [*METHODS, *PROJECTS])
def test_every_method_has_a_recipe(method, preset, tmp_path):
    path = find_recipe(method, preset)
    short = Recipe(path, str(tmp_path), dict(classes=['a']))
    scored = Recipe(path, str(tmp_path), dict(val_list='v.txt', test_list='t.txt'))
    names = [step.name for step in short.steps]
    assert 'test' not in names and names[-1] == 'report'
    assert [step.name for step in scored.steps if step.name != 'test'] == names
    assert scored['test'].type == 'test'
    assert names.index('check_labels') < names.index('train_segmentor')
    if method == 'clip':
        return
    # Whatever is checked is in the report, under a name of its own.
    checks = [step for step in short.steps if step.type == 'check']
    shown = short['report'].spec['checks']
    assert {f'{{{step.name}}}/checks.json' for step in checks} <= {*shown}
    assert shown[0] == '{photo_checks}'
    assert len({step.spec.get('of') for step in checks}) == len(checks)
    # Tags are checked once, before the first labels teach anything.
    assert [bool(step.spec.get('training')) for step in checks] == [
        True, *[False] * (len(checks) - 1)]


@pytest.mark.parametrize('method', [*METHODS, 'recommended'])
def test_full_supervision_stands_beside_the_score(method, tmp_path):
    path = find_recipe(method, 'cpu')
    lists = dict(val_list='v.txt', test_list='t.txt')
    [alone] = Recipe(path, str(tmp_path), lists)['report'].spec['headline']
    assert alone['value'] == '{test:mask/mIoU}' and 'full' not in alone
    recipe = Recipe(path, str(tmp_path), dict(lists, full_masks='masks'))
    [both] = recipe['report'].spec['headline']
    assert both == dict(alone, full='{test_full:mask/mIoU}')
    for lists in ({}, dict(full_masks='masks')):
        recipe = Recipe(path, str(tmp_path), lists)
        assert recipe['report'].spec['headline'] == []
        assert not any(step.name.endswith('_full') for step in recipe.steps)


def test_wrong_words(calls, tmp_path):
    with pytest.raises(FileNotFoundError, match='there is no folder none'):
        run.run('none')
    with pytest.raises(FileNotFoundError, match='no file of weights w.pth'):
        run.run(str(tmp_path), weights='w.pth')
    with pytest.raises(ValueError, match='--method must be one of cam, esol'):
        run.run(str(tmp_path), method='best', preset='cpu')
    with pytest.raises(FileNotFoundError, match='holds no trained model'):
        predict.predict(str(tmp_path), 'photo.jpg')
    with pytest.raises(FileNotFoundError, match='holds no seeds'):
        preview.preview(str(tmp_path), 0.3)
    assert calls == []


def test_cam_of_an_image_that_follows_classes(calls):
    args = parse_args(['cam', 'x.jpg', '--model', 'm', '--classes', 'tabby', '7'])
    assert call_verb(args) == 0
    assert calls == [['tools/analysis_tools/cam.py', 'x.jpg', '--model', 'm',
                      '--out-dir', 'cams', '--classes', 'tabby', '7']]


def test_export_of_masks(calls, tmp_path):
    with pytest.raises(FileNotFoundError, match='holds no labels'):
        mmwsss.export(str(tmp_path), 'coco', 'labels')
    (tmp_path / 'pseudo_labels').mkdir()
    (tmp_path / 'data').mkdir()
    out = mmwsss.export(str(tmp_path), 'coco', 'labels')
    assert out == f'{tmp_path}/export_coco'
    data = f'{tmp_path}/data'
    assert calls == [[
        'tools/dataset_converters/export_masks.py', f'{tmp_path}/pseudo_labels',
        '--images', f'{data}/photos', '--classes', f'{data}/classes.txt', '--tags',
        f'{data}/tags.csv', '--format', 'coco', '--out', out]]


def test_export_offers_what_the_tool_writes():
    path = project_path('tools', 'dataset_converters', 'export_masks.py')
    formats = runpy.run_path(path, run_name='tool')['FORMATS']
    assert export.FORMATS == (*formats, 'onnx')


def test_predict_takes_the_last_checkpoint(calls, tmp_path):
    (tmp_path / 'configs').mkdir()
    (tmp_path / 'configs' / 'train_segmentor.py').touch()
    (tmp_path / 'train_segmentor').mkdir()
    (tmp_path / 'train_segmentor' / 'last_checkpoint').write_text('/old/iter_9.pth')
    out = mmwsss.predict(str(tmp_path), 'x.jpg')
    assert out == f'{tmp_path}/predictions'
    assert calls == [[
        'demo/image_demo.py', 'x.jpg', f'{tmp_path}/configs/train_segmentor.py',
        f'{tmp_path}/train_segmentor/iter_9.pth', '--out-dir', out]]
    mmwsss.export(str(tmp_path), 'onnx')
    assert calls[1] == [
        'tools/model_converters/mmwsss2onnx.py', *calls[0][2:4],
        f'{tmp_path}/model.onnx']


def test_a_tool_is_shown_and_its_status_kept(tmp_path, capfd, monkeypatch):
    tool = tmp_path / 'tool.py'
    tool.write_text('import sys\nprint(sys.argv[1:])\nsys.exit(3)\n')
    monkeypatch.setattr(tools, 'project_path', lambda *parts: str(tool))
    with pytest.raises(ToolFailed, match='status 3') as failed:
        call_tool('tools/tool.py', 'a b')
    assert failed.value.status == 3
    said = capfd.readouterr().out
    assert said == f"$ python {tool} 'a b'\n['a b']\n"


def test_the_console_command_is_installed():
    text = Path(project_path('pyproject.toml')).read_text(encoding='utf-8')
    place, name = re.search(r'mmwsss = "([\w.]+):(\w+)"', text).groups()
    assert callable(getattr(import_module(place), name))

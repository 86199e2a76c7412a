# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import pytest

from mmwsss.pipeline import Pipeline, Recipe
from mmwsss.pipeline.recipe import substitute
from mmwsss.utils import project_path


def recipe(tmp_path, text, **kwargs):
    path = tmp_path / 'toy_pipeline.py'
    path.write_text(text)
    return Recipe(str(path), **kwargs)


TOY = """
data_root = 'data/toy'
steps = [
    dict(name='one', type='command', command=['echo', '{data_root}/x']),
    dict(name='two', type='command',
         command=['cat', '{one}/a', '--t={one:score}', '{two}/b', '{one:score}']),
]
"""


def test_names_and_folders(tmp_path):
    toy = recipe(tmp_path, TOY)
    assert toy.name == 'toy_pipeline'
    assert toy.work_dir.endswith('work_dirs/toy_pipeline')
    toy = recipe(tmp_path, TOY, work_dir=str(tmp_path / 'w'))
    assert toy.folder('one') == str(tmp_path / 'w/one')


def test_references(tmp_path):
    toy = recipe(tmp_path, TOY)
    assert toy.references(toy['one']) == []
    assert toy.references(toy['two']) == ['{one}/a']


def test_substitute_keeps_numbers(tmp_path):
    toy = recipe(tmp_path, TOY)
    values = {'one': '/one', 'two': '/two', 'one:score': 0.25}
    command = substitute(toy['two'].spec['command'], values)
    assert command == ['cat', '/one/a', '--t=0.25', '/two/b', 0.25]


def test_options_by_name_and_index(tmp_path):
    options = {
        'data_root': '/other',
        'steps.two.args': [1, 2],
        'steps.0.inputs': ['x']
    }
    toy = recipe(tmp_path, TOY, cfg_options=options)
    assert toy.variables['data_root'] == '/other'
    assert toy['two'].spec['args'] == [1, 2]
    assert toy['one'].spec['inputs'] == ['x']
    with pytest.raises(ValueError, match="no step 'three'; there are one, two"):
        recipe(tmp_path, TOY, cfg_options={'steps.three.args': 1})


def test_configs_named_on_the_command_line(tmp_path, monkeypatch):
    """They lie where the person stands, those of the recipe beside it."""
    (tmp_path / 'recipes').mkdir()
    for folder in ('.', 'recipes'):
        (tmp_path / folder / 'cfg.py').write_text('')
    monkeypatch.chdir(tmp_path)
    text = "localizer = 'cfg.py'\nsteps = [dict(type='train', config='{localizer}')]"
    for options, folder in ((None, 'recipes'), (dict(localizer='cfg.py'), '.')):
        toy = recipe(tmp_path / 'recipes', text, cfg_options=options)
        path = toy.config_path(toy['train'])
        assert path == str((tmp_path / folder / 'cfg.py').resolve())


@pytest.mark.parametrize('steps, message', [
    ('[]', 'it is not a recipe'),
    ("[dict(type='fly')]", "type must be one of .*train.*got 'fly'"),
    ("[dict(type='command')]", r"needs \['command'\]"),
    ("[dict(type='command', command=['a'], treshold=1)]", "unknown.*'treshold'"),
    ("[dict(type='command', command=['{later}']),"
     " dict(name='later', type='command', command=['a'])]", "refers to 'later'"),
    ("[dict(type='command', command=['{command:score}'])]", "refers to 'command'"),
    ("[dict(name='a', type='command', command=['a'])] * 2", 'no other step'),
    ("[dict(name='../a', type='command', command=['a'])]", 'an identifier'),
])
def test_wrong_recipes(tmp_path, steps, message):
    with pytest.raises(ValueError, match=message):
        recipe(tmp_path, f'steps = {steps}')


def test_missing_files(tmp_path):
    with pytest.raises(FileNotFoundError, match='no recipe'):
        Recipe(str(tmp_path / 'none.py'))
    with pytest.raises(FileNotFoundError, match=r'step 0 \(train\): no config .*x.py'):
        recipe(tmp_path, "steps = [dict(type='train', config='./x.py')]")


def test_classes_reach_every_config(tmp_path):
    (tmp_path / 'classes.txt').write_text('owl\nfox\n')
    path = project_path('configs', 'esol', 'esol_folder_pipeline.py')
    root = dict(data_root=str(tmp_path))
    for options, number in ((root, 3), (dict(root, classes=['owl']), 2)):
        line = Pipeline(Recipe(path, str(tmp_path / 'work'), options))
        for name in ('train_localizer', 'train_segmentor', 'predict'):
            cfg = line.job(line.recipe[name]).config
            assert cfg.model.decode_head.num_classes == number
            dataset = cfg.train_dataloader.dataset
            assert dataset.data_root == str(tmp_path)
            assert dataset.classes == ['background', 'owl', 'fox'][:number]

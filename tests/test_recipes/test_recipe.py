# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import pytest

from mmwsss.recipes import Recipe, RecipeRunner
from mmwsss.recipes.recipe import substitute
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


def command(**keys):
    """A recipe of one good step with some keys changed; None leaves one out."""
    step = dict(name='a', type='command', command=['echo'])
    step.update(keys)
    return [{key: value for key, value in step.items() if value is not None}]


def of_type(kind, **keys):
    """A recipe of one step whose config exists."""
    return [dict(name='a', type=kind, config='cfg.py', **keys)]


FIRST, LATER = (dict(name=name, type='command', command=['{later}'])
                for name in ('first', 'later'))


@pytest.mark.parametrize('steps, message', [
    # The list of steps.
    ([], 'no list "steps": it is not a recipe'),
    ('command', 'no list "steps"'),
    (['command'], "step 0: must be a dict, got 'command'"),
    ([{}], r'step 0 \(None\): type must be one of train, .* got None'),
    # Types.
    (command(type='comand'), "got 'comand' .perhaps 'command' is meant"),
    (command(type=3), 'type must be one of .*got 3'),
    (command(type=['train']), 'type must be one of'),
    # Names.
    (command(name='../a'), 'must be an identifier'),
    (command(name=''), 'must be an identifier'),
    (command(name=7), 'must be an identifier'),
    (command() * 2, 'no other step'),
    (command(name='tools'), 'no other step or variable'),
    (command(name='word'), 'no other step or variable'),
    (command(name='ledger'), 'none of configs, ledger, logs'),
    # Keys.
    (command(command=None), r"step 0 \(a\): needs \['command'\]"),
    (command(treshold=1), "unknown key 'treshold'"),
    (command(input=['x']), "unknown key 'input' .perhaps 'inputs' is meant"),
    (of_type('refine', seeds='s', refiner='none', bgthr=1),
     "unknown key 'bgthr' .perhaps 'bg_thr' is meant"),
    (of_type('refine', seeds='s', refiner='none', cfg_option={}),
     "perhaps 'cfg_options' is meant"),
    (of_type('refine', refiner='none'), r"needs \['seeds'\]"),
    (of_type('walk'), r"needs \['checkpoint', 'seeds'\]"),
    ([dict(type='train')], r"step 0 \(train\): needs \['config'\]"),
    # Types of values.
    (command(command='echo hello'), "command must be a list .*got 'echo hello'"),
    (command(command=[]), 'command must be a list of strings and numbers, at least'),
    (command(command=['echo', ['a']]), 'command must be a list'),
    (command(command=['echo', True]), 'command must be a list'),
    (command(resume='yes'), "resume must be True or False, got 'yes'"),
    (command(show='mIoU'), "show must be a list of strings, got 'mIoU'"),
    (command(inputs=3), 'inputs must be a string or a list of strings, got 3'),
    (of_type('train', gpus='two'), r"a\): gpus must be a whole .*got 'two'"),
    (of_type('train', gpus=0), 'gpus must be a whole number of at least 1, got 0'),
    (of_type('train', gpus=1.5), 'gpus must be a whole number'),
    (of_type('train', gpus=float('inf')), 'gpus must be a whole number'),
    (of_type('train', gpus=True), 'gpus must be a whole number'),
    (of_type('train', cfg_options=['a=1']), 'cfg_options must be a dict'),
    (of_type('train', data_root=3), 'data_root must be a string'),
    ([dict(type='train', config=3)], 'config must be a string, got 3'),
    (of_type('seeds', checkpoint=None), 'checkpoint must be a string, got None'),
    (of_type('seeds', checkpoint='c', jobs=[4]), 'jobs must be a whole number'),
    (of_type('refine', seeds='s', refiner='none', bg_thr=[0.3]),
     'bg_thr must be a number of at least 0, or a file or a reference'),
    *((of_type('seeds', checkpoint='c', jobs=jobs),
       f'jobs must be a whole number of at least 0, got {jobs!r}')
      for jobs in ('x', -3, 1.5, True)),
    *((of_type('refine', seeds='s', refiner=refiner),
       'refiner must be one of none, irn_two_threshold, ')
      for refiner in ('nosuch', 'None', 3, ['none'])),
    *((of_type('refine', seeds='s', refiner='none', bg_thr=thr), 'bg_thr must be')
      for thr in ('high', 'nan', '-1', -1, -0.1, True, float('inf'))),
    *((of_type('refine', seeds='s', refiner='none', alpha=alpha),
       'alpha must be a finite number') for alpha in ('x', 'inf', [4])),
    (of_type('score_seeds', seeds='s', dataloader='nosuch'),
     "dataloader must be one of val, test, seed, got 'nosuch'"),
    (of_type('score_masks', masks='m', pred_ignore='x'), 'pred_ignore must be one of'),
    (of_type('report', sections=dict(title='x')), 'sections must be a list of dicts'),
    # References.
    (command(command=['{b}']), "command has '{b}', which refers to 'b'; that is no"),
    (command(inputs=['{wrod}/x']), "inputs has .*perhaps 'word' is meant"),
    (command(command=['{a:score}']), "refers to 'a'; that is no earlier step"),
    (command(command=['{word:score}']), "'word'; that is no earlier step"),
    ([FIRST, LATER], "'{later}', which refers to 'later'; that is no earlier step"),
])
def test_wrong_recipes(tmp_path, steps, message):
    """One sentence, which names recipe, step and key."""
    (tmp_path / 'cfg.py').write_text('')
    text = f'inf = float("inf")\nword = "x"\nsteps = {steps!r}'
    with pytest.raises(ValueError, match=message) as raised:
        recipe(tmp_path, text)
    assert 'toy_pipeline.py' in str(raised.value) and '\n' not in str(raised.value)


@pytest.mark.parametrize('option, value, message', [
    ('steps.three.args', [1], "no step 'three'; there are one, two"),
    ('steps.on.args', [1], "perhaps 'one' is meant"),
    ('steps.7.args', [1], "no step '7'"),
    ('steps.one.arg', [1], "unknown key 'arg' .perhaps 'args' is meant"),
    ('steps.one.command.word', 'x', 'no place for'),
    ('steps.one', 'x', 'no place for .x. there'),
    ('steps', [], 'no list "steps"'),
    ('dataroot', '/x', "has no 'dataroot' .perhaps 'data_root' is meant"),
    ('data_root', 3, 'data_root cannot be 3'),
    ('work_dir', ['x'], 'work_dir cannot be'),
    ('protocol', 'x', 'protocol cannot be'),
    ('classes', 3, 'classes cannot be 3'),
])
def test_wrong_options(tmp_path, option, value, message):
    with pytest.raises(ValueError, match=message):
        recipe(tmp_path, TOY, cfg_options={option: value})


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
        line = RecipeRunner(Recipe(path, str(tmp_path / 'work'), options))
        for name in ('train_localizer', 'train_segmentor', 'predict'):
            cfg = line.job(line.recipe[name]).config
            assert cfg.model.decode_head.num_classes == number
            dataset = cfg.train_dataloader.dataset
            assert dataset.data_root == str(tmp_path)
            assert dataset.classes == ['background', 'owl', 'fox'][:number]


def test_what_an_empty_variable_leaves_out(tmp_path):
    text = """
val_list = ''
test_list = ''
words = [
    dict(a='x', when='{val_list}'), dict(a='y'), dict(a='z', unless='{val_list}'),
    dict(a='both', when=['{val_list}', '{test_list}'])]
steps = [
    dict(name='one', type='command', command=['echo'], when='{val_list}'),
    dict(name='two', type='report', config='{path}', sections=words),
]
"""
    config = tmp_path / 'config.py'
    config.touch()
    text += f'path = {str(config)!r}\n'
    short = recipe(tmp_path, text)
    assert [step.name for step in short.steps] == ['two']
    assert short['two'].spec['sections'] == [dict(a='y'), dict(a='z')]
    full = recipe(tmp_path, text, cfg_options=dict(val_list='val.txt'))
    assert [step.name for step in full.steps] == ['one', 'two']
    assert full['two'].spec['sections'] == [dict(a='x'), dict(a='y')]
    both = recipe(tmp_path, text, cfg_options=dict(val_list='v', test_list='t'))
    assert both['two'].spec['sections'][-1] == dict(a='both')
    with pytest.raises(ValueError, match='{none} is no step or variable'):
        recipe(tmp_path, text.replace("'{val_list}'", "'{none}'"))


def test_options_of_all_steps_with_a_config(tmp_path):
    (tmp_path / 'model.py').write_text(
        'train_cfg = dict(max_iters=1)\nexperiment_name = "x"')
    toy = recipe(tmp_path, f"""
model = {str(tmp_path / 'model.py')!r}
weights = 'x.pth'
cfg_options = dict(model={{'experiment_name': '{{weights}}', 'train_cfg.max_iters': 5}})
steps = [
    dict(name='one', type='train', config='{{model}}'),
    dict(name='two', type='train', config='{{model}}',
         cfg_options={{'train_cfg.max_iters': 7}}),
]
""", work_dir=str(tmp_path / 'work'), cfg_options=dict(weights='y.pth'))
    runner = RecipeRunner(toy)
    one, two = (runner.job(toy[name]).config for name in ('one', 'two'))
    assert (one.experiment_name, one.train_cfg.max_iters) == ('y.pth', 5)
    assert (two.experiment_name, two.train_cfg.max_iters) == ('y.pth', 7)


def test_a_list_seen_from_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'mine.txt').touch()
    text = "val_list = ''\nsteps = [dict(name='one', type='command', command=['x'])]"
    here = recipe(tmp_path, text, cfg_options=dict(val_list='mine.txt'))
    assert here.variables['val_list'] == str(tmp_path / 'mine.txt')
    there = recipe(tmp_path, text, cfg_options=dict(val_list='val.txt'))
    assert there.variables['val_list'] == 'val.txt'


@pytest.mark.parametrize('spec', [
    dict(bg_thr=0), dict(bg_thr=0.25), dict(bg_thr='0.25'), dict(bg_thr='best.json'),
    dict(bg_thr='{word}'), dict(bg_thr=None), dict(jobs=0), dict(jobs='{word}'),
    dict(alpha=16), dict(alpha='4'), dict(refiner='{word}'), dict(refiner='config')])
def test_right_values(tmp_path, spec):
    (tmp_path / 'cfg.py').write_text('')
    steps = of_type('refine', **{'seeds': 's', 'refiner': 'none', **spec})
    assert recipe(tmp_path, f'word = "x"\nsteps = {steps!r}').steps[0].type == 'refine'

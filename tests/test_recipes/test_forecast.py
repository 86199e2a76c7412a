# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import pytest
from mmengine.config import Config

from mmwsss.recipes import Recipe
from mmwsss.recipes.forecast import Forecast

RECIPE = """
val_list = ''
steps = [
    dict(name='train', type='train', config='{path}'),
    dict(name='seeds', type='seeds', config='{path}', checkpoint='{train}/x'),
    dict(name='labels', type='refine', config='{path}', seeds='{seeds}',
         refiner='none'),
    dict(name='again', type='train', config='{path}'),
    dict(name='test', type='test', config='{path}', checkpoint='{train}/x'),
]
"""
LINE = 'Iter(train) [{:3}/50]  lr: 7.8e-04  eta: 0:09:23  time: 2.0  data_time: 0.03'


@pytest.fixture
def forecast(tmp_path):
    config = tmp_path / 'config.py'
    config.touch()
    path = tmp_path / 'recipe.py'
    path.write_text(f'path = {str(config)!r}\n{RECIPE}')
    (tmp_path / 'list.txt').write_text('\n'.join(map(str, range(100))))
    images = dict(dataset=dict(ann_file=str(tmp_path / 'list.txt')))

    def config_of(step):
        return Config(dict(
            model=dict(data_preprocessor=dict(size=(64, 64))),
            train_dataloader=dict(batch_size=4, **images), seed_dataloader=images,
            test_dataloader=images, train_cfg=dict(epochs=2),
            tta_pipeline=[dict(type='TestTimeAug', transforms=[
                [dict(type='PILRescale', scale=s) for s in (1., .5)],
                [dict(type='RandomFlip', prob=0.), dict(type='RandomFlip', prob=1.)]])
            ]))

    return Forecast(Recipe(str(path), str(tmp_path)), config_of)


def test_minutes_of_the_whole_run(forecast):
    train = forecast.recipe['train']
    assert forecast.look(train, 'Checkpoints will be saved') == ''
    assert forecast.look(train, LINE.format(5)) == '', 'still warming up'
    # Two trainings of 50 iterations of 2 s; a prediction of an image takes
    # 2 s / 4 images / 3 passes, and a seed has 2.5 times the pixels.
    image = 2 / 4 / 3
    # Each of five steps starts in 5 s.
    seconds = 5 * 5 + 2 * 50 * 2 + 100 * 2.5 * image + 100 * 0.4 + 100 * image
    said = forecast.look(train, LINE.format(10))
    assert said == (f'expected: about {round(seconds / 60)} minutes for the whole run, '
                    'at 2.0 s an iteration of train')
    assert forecast.look(train, LINE.format(20)) == '', 'once'


def test_what_has_been_done_does_not_count(forecast):
    said = forecast.look(forecast.recipe['again'], LINE.format(10))
    assert 'about 2 minutes' in said


def test_recipes_of_another_kind_are_left_alone(forecast):
    forecast.config_of = lambda step: None
    assert forecast.look(forecast.recipe['train'], LINE.format(10)) == ''


def test_fewer_epochs_are_told_of(forecast):
    whole = forecast.config_of

    def config_of(step):
        cfg = whole(step)
        if step.name == 'again':
            # 50 iterations of 100 in batches of 4; classify is short enough.
            cfg.train_cfg = dict()
            cfg.custom_hooks = [dict(stages=[
                dict(name='classify', epochs=1, cap_iters=25),
                dict(name='expand', epochs=8, cap_iters=25)])]
        return cfg

    forecast.config_of = config_of
    said = forecast.look(forecast.recipe['train'], LINE.format(10))
    image = 2 / 4 / 3
    seconds = 5 * 5 + 2 * 50 * 2 + 100 * 2.5 * image + 100 * 0.4 + 100 * image
    assert f'about {round(seconds / 60)} minutes' in said
    assert said.endswith('of train; again expand sees each of 100 photos 1.0 times, '
                         'not 8 (cap_iters)')

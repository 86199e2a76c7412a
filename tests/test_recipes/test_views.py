# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from mmwsss.recipes import Recipe
from mmwsss.recipes.summary import report_facts, step_views
from mmwsss.utils import project_path, read_config
from mmwsss.utils.views import read_views


def test_views_of_pipelines():
    plain = [dict(type='LoadPILImage'), dict(type='PackSegInputs')]
    assert read_views(plain) == ('1', False)
    views = [plain[0], dict(type='TestTimeAug', transforms=[
        [dict(type='PILRescale', scale=s) for s in (1.0, 0.5, 2)],
        [dict(type='RandomFlip', prob=0.), dict(type='RandomFlip', prob=1.)],
        [plain[1]]])]
    assert read_views(views) == ('0.5, 1, 2', True)
    views[1]['transforms'].pop(1)
    assert read_views(views) == ('0.5, 1, 2', False)
    scale = dict(type='mmseg.Resize', scale=(512, 256))
    assert read_views([scale]) == ('512 x 256', False)
    assert read_views([dict(type='Resize', scale_factor=1.5)]) == ('1.5', False)
    loader = dict(dataset=dict(dataset=dict(pipeline=plain)))
    config = dict(seed_dataloader=dict(dataset=dict(pipeline=views)),
                  test_dataloader=loader, tta_pipeline=views)
    assert step_views('seeds', config) == step_views('test', config, True) == (
        '0.5, 1, 2')
    assert step_views('test', config) == '1'
    assert step_views('train', config) is None
    assert step_views('seeds', {}) is None


def test_views_of_our_configs():
    cam = read_config(project_path('configs', 'cam', 'cam_r50_voc.py'))
    assert step_views('seeds', cam) == '0.5, 1, 1.5, 2 and flips'
    assert step_views('test', cam) == '1'


def test_a_report_tells_what_its_steps_did(tmp_path):
    """Whatever a recipe says of the scales, the configs of its steps count."""
    recipe = Recipe(project_path('configs', 'cam', 'cam_demo_pipeline.py'),
                    str(tmp_path))
    report = recipe['report']
    records = {step.name: {} for step in recipe.steps}
    assert 'for seeds' in report_facts(recipe, report, records)['protocol']['scales']
    one = "dict(type='PILRescale', scale=%s)"
    (tmp_path / 'configs').mkdir()
    (tmp_path / 'configs/seeds.py').write_text(
        'seed_dataloader = dict(dataset=dict(pipeline=[dict(type="TestTimeAug", '
        f'transforms=[[{one % 0.75}, {one % 1.0}]])]))')
    for name in ('test', 'predict_train'):
        (tmp_path / f'configs/{name}.py').write_text(
            'test_dataloader = dict('
            'dataset=dict(pipeline=[dict(type="LoadPILImage")]))')
    facts = report_facts(recipe, report, records)
    assert facts['protocol']['scales'] == '0.75, 1 for seeds; 1 for test, predict_train'
    assert facts['protocol']['split'] == recipe.protocol['split']
    assert {step['name']: step['folder'] for step in facts['steps']}['seeds'] == 'seeds'

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import argparse
import inspect
import os
import re

import pytest
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmwsss.recipes import Recipe
from mmwsss.utils import project_path, read_config
from mmwsss.utils.arguments import DictAction
from mmwsss.utils.config_options import (
    TOP_KEYS,
    check_options,
    type_arguments,
    unread_options,
)

ESOL = project_path('configs', 'esol', 'esol_demo.py')


@pytest.fixture(scope='module')
def esol():
    return read_config(ESOL)._cfg_dict


def test_top_keys_are_the_runners():
    read = set(inspect.signature(Runner.__init__).parameters)
    assert read - {'self', 'cfg'} < TOP_KEYS


@pytest.mark.parametrize('option, value', [
    ('train_dataloader.batch_size', 4),
    ('train_dataloader.sampler.shuffle', False),
    ('custom_hooks.0.stages.0.iters', 3),
    ('custom_hooks.0.stages.0.train_cfg', {}),
    ('model.backbone.with_cp', True),
    # Of ESOLHead's base's base.
    ('model.decode_head.ignore_index', 7),
    ('model.test_cfg.crop_size', (8, 8)),
    ('default_hooks.nan_loss', None),
    ('default_hooks.own', dict(type='NaNLossHook')),
    ('randomness.seed', 3),
    ('env_cfg.dist_cfg.timeout', 60),
    ('train_cfg.max_iters', 7),
    ('data_root', 'x'),
    ('auto_scale_lr', dict(enable=True)),
    ('val_evaluator.collect_device', 'gpu'),
    ('val_dataloader', dict(batch_size=2)),
    ('val_dataloader', dict(_delete_=True, anything=2)),
    ('model', dict(type='Other', anything=2)),
])
def test_possible_options(esol, option, value):
    check_options(esol, {option: value})


@pytest.mark.parametrize('option, value, said', [
    ('nosuch', 1, "the top has no 'nosuch', and nothing would read it; the nearest"),
    ('train_datalodaer.batch_size', 4, "no 'train_datalodaer'.*'train_dataloader'"),
    ('optim_wraper', {}, "the nearest is 'optim_wrapper'"),
    ('train_dataloader.batch_siz', 4, "nearest is 'batch_size'"),
    ('train_dataloader.dataset.data_rot', 'x', "WeakDemoDataset.*'data_root'"),
    ('train_dataloader.dataset.pipeline.99.x', 1, 'list of . items.*no .99'),
    ('custom_hooks.first.iters', 1, "list of .*no 'first'"),
    ('model.decode_head.num_clases', 3, "ESOLHead.*nearest is 'num_classes'"),
    ('model.backbone.init_cfg2.checkpoint', 'x', "no 'init_cfg2'.*'init_cfg'"),
    ('model.backbone.depth.x', 1, "model.backbone.depth is 18, which has no 'x'"),
    ('default_hooks.chekpoint.interval', 3, "no 'chekpoint'.*'checkpoint'"),
    ('randomness.sed', 3, "nearest is 'seed'"),
    ('train_cfg.max_iter', 3, "nearest is 'max_iters'"),
    ('optim_wrapper.optimizer.lrr', 3, "nearest is 'lr'"),
    ('', 1, "no ''"),
    # Of another kind.
    ('model.backbone.depth', 'x', "it is the number 18, got 'x'"),
    ('model', dict(backbone=dict(depth='x')), "it is the number 18, got 'x'"),
    ('default_hooks.checkpoint.max_keep_ckpts', 'x', "it is the number 2, got 'x'"),
    ('train_dataloader.sampler', 3, 'it is a dict, got 3'),
    ('default_hooks.checkpoint', 'x', "it is a dict, got 'x'"),
    ('log_processor', 3, 'it is a dict, got 3'),
])
def test_misspelt_options(esol, option, value, said):
    before = repr(esol)
    with pytest.raises(ValueError, match=f'^option {option}: .*{said}.*here.py'):
        check_options(esol, {option: value}, 'here.py')
    assert repr(esol) == before
    with pytest.raises(ValueError, match='esol_demo.py'):
        read_config(ESOL, {option: value})


def test_what_may_be_absent():
    """Tables whose keys are known are made where they lack."""
    for option in ('default_hooks.nan_loss', 'randomness.seed', 'env_cfg.mp_cfg',
                   'train_cfg.max_iters', 'seed_dataloader.batch_size'):
        check_options({}, {option: None})
    for option in ('default_hooks.nosuch', 'modle.type'):
        with pytest.raises(ValueError, match=f'option {option}'):
            check_options({}, {option: None})


def test_an_argument_of_a_type_that_is_new_too():
    cfg = dict(optim_wrapper=dict(type='OptimWrapper'), hooks=[dict(type='EMAHook')])
    options = {'optim_wrapper.dtype': 'bfloat16',
               'optim_wrapper.type': 'AmpOptimWrapper',
               'hooks.0.out_dir': 'x', 'hooks.0.type': 'CheckpointHook'}
    check_options(cfg, options)
    with pytest.raises(ValueError, match='option optim_wrapper.dtype'):
        check_options(cfg, {'optim_wrapper.dtype': 'bfloat16'})
    assert cfg['optim_wrapper'] == dict(type='OptimWrapper')


@pytest.mark.parametrize('option', [
    'default_hooks.fast_inference.amp', 'default_hooks.early_stop.type',
    'optim_wrapper.clip_grad.max_norm', 'optim_wrapper.paramwise_cfg.custom_keys.h.lr',
    'model.decode_head.sampler.type', 'auto_scale_lr.enable', 'compile.mode'])
def test_what_lies_above_is_made(option):
    cfg = dict(optim_wrapper=dict(type='OptimWrapper'), default_hooks=dict(),
               model=dict(decode_head=dict(type='FCNHead')))
    check_options(cfg, {option: 'OHEMPixelSampler'})


def test_any_argument_may_be_new():
    """TIMMBackbone hands its arguments on to timm."""
    cfg = dict(model=dict(backbone=dict(type='mmpretrain.TIMMBackbone',
                                        model_name='resnet18')))
    check_options(cfg, {'model.backbone.drop_path_rate': 0.1})
    with pytest.raises(ValueError, match="nearest is 'model_name'"):
        check_options(cfg, {'model.backbone.model_nam': 'x'})
    check_options(dict(model=dict(type='NotOurs')), {'model.any': 1})


class Base:

    def __init__(self, base, **kwargs):
        kwargs['x'] = 1


class Middle(Hook):

    def __init__(self, middle, *args, **kwargs):
        kwargs.setdefault('c', 1)
        super().__init__(*args, **kwargs)


def function(a, *, b=1):
    """A type may be a function."""


def test_arguments_of_types():
    assert type_arguments(Base) is None
    assert type_arguments(function) == {'a', 'b'}
    assert type_arguments('NoSuchType') is None
    assert type_arguments(Middle) == {'middle'}
    assert type_arguments('WeakDemoDataset') > {'data_root', 'label_file', 'lazy_init'}


def settings(node, path=()):
    """All dicts in a config, with their paths."""
    if isinstance(node, dict):
        yield path, node
        for key, value in node.items():
            yield from settings(value, (*path, key))
    elif isinstance(node, (list, tuple)):
        for number, value in enumerate(node):
            yield from settings(value, (*path, str(number)))


@pytest.mark.parametrize('name', [
    'esol/esol_demo.py', 'irn/irn_demo.py', 'sance/sance_r101_voc.py',
    'single_stage/single_stage_wide-r38_voc_crf.py', 'fsae/fsae_esol_r50_voc.py',
    'deeplab/deeplabv2_folder.py', 'psa/psa_demo.py', 'seam/seam_wide-r38_voc.py'])
def test_what_configs_say_could_be_added(name):
    """Each key in a config may be taken out and added again."""
    cfg = Config.fromfile(project_path('configs', *name.split('/')))
    for path, node in settings(cfg._cfg_dict):
        if not isinstance(node.get('type'), str):
            continue
        # default_hooks take no other keys than hooks; so do other dicts of dicts.
        kept = {'type': node['type']}
        for key in node.keys() - {'type'}:
            # Our epochs are known by their place.
            top = 'train_cfg' if path == ('train_cfg', ) else 'top'
            check_options({top: kept}, {f'{top}.{key}': 1}, '.'.join(path))


def test_recipes_change_what_is_there():
    """What our recipes set in configs passes."""
    checked = 0
    for name in ('esol/esol_demo', 'irn/irn_demo', 'sance/sance_demo',
                 'single_stage/single_stage_demo', 'fsae/fsae_demo'):
        path = project_path('configs') + f'/{name}_pipeline.py'
        if not os.path.isfile(path):
            continue
        recipe = Recipe(path)
        for step in recipe.steps:
            options = step.spec.get('cfg_options') or {}
            if step.spec.get('config') and options:
                cfg = Config.fromfile(recipe.config_path(step))
                check_options(cfg._cfg_dict, options, f'{path} {step.name}')
                assert not unread_options(cfg._cfg_dict, options)
                checked += 1
    assert checked > 4


def test_a_variable_is_changed_too_late(tmp_path):
    path = tmp_path / 'own.py'
    path.write_text('size = 3\nmodel = dict(size=size)\n')
    with pytest.warns(UserWarning, match='option size: .*own.py.*change it there'):
        cfg = read_config(path, dict(size=4))
    assert cfg.model.size == 3


@pytest.mark.parametrize('words, said', [
    (['nosuch'], "expected key=value with a dotted key, got 'nosuch'"),
    (['=3'], "got '=3'"),
    (['a..b=3'], "got 'a..b=3'"),
    (['a=[1,(2'], 'a=\\[1'),
])
def test_options_are_pairs(capsys, words, said):
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    with pytest.raises(SystemExit, match='2'):
        parser.parse_args(['--cfg-options', *words])
    error = capsys.readouterr().err.splitlines()[-1]
    assert 'argument --cfg-options' in error
    assert re.search(said, error)

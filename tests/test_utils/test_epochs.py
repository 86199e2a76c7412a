# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import pytest
from mmengine.config import Config

from mmwsss.utils.config import change_config
from mmwsss.utils.epochs import resolve_epochs, shortened


def config(**changes):
    return Config(dict(
        train_dataloader=dict(batch_size=8),
        train_cfg=dict(max_iters=1000, val_interval=1000, epochs=3, min_iters=10),
        param_scheduler=dict(type='PolyLR', end=1001)), **changes)


@pytest.mark.parametrize('images, processes, iters', [
    (800, 1, 300), (801, 1, 301), (800, 4, 75), (20, 1, 10), (2, 1, 10)])
def test_a_training_follows_the_number_of_images(images, processes, iters):
    cfg = config()
    resolve_epochs(cfg, images, processes)
    assert cfg.train_cfg == dict(max_iters=iters, val_interval=iters)
    assert cfg.param_scheduler.end == iters + 1


def test_validations_are_as_many():
    cfg = config()
    cfg.train_cfg.val_interval = 250
    resolve_epochs(cfg, 800)
    assert cfg.train_cfg.val_interval == 75
    cfg = config()
    cfg.param_scheduler = [dict(end=1001), dict(begin=5)]
    resolve_epochs(cfg, 800)
    assert cfg.param_scheduler == [dict(end=301), dict(begin=5)]


def test_stages():
    cfg = config()
    cfg.train_cfg = dict(max_iters=500, val_interval=500)
    cfg.param_scheduler = dict(type='PolyLR')
    cfg.custom_hooks = [dict(type='Other'), dict(type='StageSwitchHook', stages=[
        dict(name='a', epochs=2), dict(name='b', iters=70),
        dict(name='c', epochs=.5, min_iters=60, iters=9),
        dict(name='d', epochs=4, cap_iters=150)])]
    assert shortened(cfg, 400) == {'d': (3, 4)}
    resolve_epochs(cfg, 400)
    assert cfg.custom_hooks[1].stages == [
        dict(name='a', iters=100), dict(name='b', iters=70), dict(name='c', iters=60),
        dict(name='d', iters=150)]
    assert cfg.train_cfg.max_iters == cfg.train_cfg.val_interval == 380


@pytest.mark.parametrize('images, iters', [(800, 300), (1600, 600), (1601, 600),
                                           (20_000, 600)])
def test_many_images_are_seen_less_often(images, iters):
    cfg = config()
    cfg.train_cfg.cap_iters = 600
    told = shortened(cfg, images)
    assert told == ({'': (pytest.approx(4800 / images), 3)} if images > 1600
                    else {})
    resolve_epochs(cfg, images)
    assert cfg.train_cfg == dict(max_iters=iters, val_interval=iters)
    assert cfg.param_scheduler.end == iters + 1
    assert shortened(cfg, images) == {}


def test_the_cap_has_the_last_word():
    cfg = config()
    cfg.train_cfg.update(min_iters=40, cap_iters=5)
    resolve_epochs(cfg, 800)
    assert cfg.train_cfg.max_iters == 5


def test_iterations_stay():
    cfg = config()
    del cfg.train_cfg['epochs']
    before = cfg.to_dict()
    resolve_epochs(cfg, 7)
    assert cfg.to_dict() == before


@pytest.mark.parametrize('settings, message', [
    (dict(epochs=0), 'epochs must be a positive number, got 0'),
    (dict(epochs=float('inf')), 'epochs must be a positive number, got inf'),
    (dict(epochs='3'), "epochs must be a positive number, got '3'"),
    (dict(min_iters=-1), 'min_iters must be a positive number, got -1'),
    (dict(cap_iters=0), 'cap_iters must be a positive number, got 0')])
def test_wrong_lengths(settings, message):
    cfg = config()
    cfg.train_cfg.update(settings)
    with pytest.raises(ValueError, match=message):
        resolve_epochs(cfg, 100)


@pytest.mark.parametrize('options, iters, stages', [
    ({'train_cfg.max_iters': 7}, 7, None),
    ({'train_cfg.max_iters': 7, 'train_cfg.epochs': 2}, 50, None),
    ({'custom_hooks.0.stages.1.iters': 3}, 28, [25, 3]),
])
def test_iterations_of_an_option_come_first(options, iters, stages):
    """They are not replaced by those of the epochs."""
    cfg = Config(dict(
        train_cfg=dict(max_iters=1000, val_interval=1000),
        train_dataloader=dict(batch_size=4), param_scheduler=[dict(end=1000)]))
    if stages:
        cfg.custom_hooks = [dict(type='StageSwitchHook', stages=[
            dict(name='a', epochs=1), dict(name='b', epochs=9, min_iters=20)])]
    else:
        cfg.train_cfg.update(epochs=3, min_iters=10)
    change_config(cfg, options)
    resolve_epochs(cfg, 100)
    assert cfg.train_cfg.max_iters == cfg.train_cfg.val_interval == iters
    assert cfg.param_scheduler[0]['end'] == iters
    if stages:
        assert [stage['iters'] for stage in cfg.custom_hooks[0].stages] == stages

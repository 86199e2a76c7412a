# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import gc
import os
import weakref

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from tiny_training import TinyModel, assert_continued, tiny_config, train

from mmwsss.engine import (
    apply_checkpoint_stage,
    load_checkpoint_file,
    setup_entry_point,
)
from mmwsss.engine.hooks import StageSwitchHook


def batches(runner: Runner, count: int) -> list:
    """The batches of a training, read anew."""
    iterator = iter(Runner.build_dataloader(
        runner.cfg.train_dataloader, seed=runner.seed))
    return [next(iterator) for _ in range(count)]


def initial_model(cfg: Config) -> TinyModel:
    """The model as a runner of this config initialises it."""
    setup_entry_point(cfg)
    runner = Runner.from_cfg(cfg)
    runner._init_model_weights()
    return runner.model


def saved(work_dir, name: str) -> dict:
    return load_checkpoint_file(os.path.join(work_dir, name))


def assert_same(state: dict, other: dict) -> None:
    assert state.keys() == other.keys()
    for key, value in state.items():
        assert torch.equal(value, other[key]), key


@pytest.fixture(scope='module')
def unbroken(tmp_path_factory):
    """A run with dropout and batch statistics, of which all is kept."""
    cfg = tiny_config(
        tmp_path_factory.mktemp('unbroken'),
        **{'model.dropout': 0.3, 'model.norm': True})
    runner, recorder = train(cfg)
    return cfg, runner, recorder


@pytest.mark.parametrize('counts', [1, 2])
def test_equals_hand_written_loop(tmp_path, counts):
    """Fresh optimizer and schedule for each stage; nothing leaks over."""
    options = {'optim_wrapper.accumulative_counts': counts}
    model = initial_model(tiny_config(tmp_path / 'a', **options))
    runner, recorder = train(tiny_config(tmp_path / 'b', **options))
    data = batches(runner, 7)

    def step(optimizer, group: list) -> list[float]:
        losses = [
            model.forward(batch['inputs'], batch['data_samples'], 'loss')['loss']
            for batch in group
        ]
        (sum(losses) / len(losses)).backward()
        optimizer.step()
        model.zero_grad()
        return [loss.item() for loss in losses]

    losses, rates = [], []
    # Groups of accumulated iterations: each stage uses up its last gradients.
    plans = {1: ([[0], [1], [2]], [[3], [4], [5], [6]]),
             2: ([[0, 1], [2]], [[3, 4], [5, 6]])}
    first = torch.optim.SGD(model.conv.parameters(), lr=0.2, momentum=0.9)
    for group in plans[counts][0]:
        for t in group:
            rates.append(0.2 * (1 - t / 3)**0.9)
        first.param_groups[0]['lr'] = rates[-1]
        losses += step(first, [data[t] for t in group])
    second = torch.optim.SGD(model.head.parameters(), lr=0.5, momentum=0.9)
    for group in plans[counts][1]:
        for t in group:
            rates.append(0.5 * (0.5 if t == 3 else 1))
        second.param_groups[0]['lr'] = rates[-1]
        losses += step(second, [data[t] for t in group])

    assert list(recorder.rates.values()) == pytest.approx(rates, rel=1e-6)
    assert list(recorder.losses.values()) == pytest.approx(losses, rel=1e-5)
    for key, value in model.state_dict().items():
        torch.testing.assert_close(value, runner.model.state_dict()[key])


def test_borders_are_saved_and_validated(unbroken):
    cfg, runner, recorder = unbroken
    assert recorder.validated == [(3, 'first'), (7, 'second')]
    first = saved(cfg.work_dir, 'stage_first.pth')
    assert (first['meta']['iter'], first['meta']['stage']) == (3, 'first')
    last = saved(cfg.work_dir, 'stage_second.pth')
    assert (last['meta']['iter'], last['meta']['stage']) == (7, 'second')
    assert_same(first['state_dict'],
                saved(cfg.work_dir, 'iter_3.pth')['state_dict'])
    # Only the parameters of the stage changed.
    for key, value in last['state_dict'].items():
        trained = key.startswith(('head', 'norm.running', 'norm.num'))
        assert torch.equal(value, first['state_dict'][key]) != trained
    for name in os.listdir(cfg.work_dir):
        if name.startswith('iter_'):
            meta = saved(cfg.work_dir, name)['meta']
            assert meta['stage'] == ('first' if meta['iter'] <= 3 else 'second')


def test_validates_once_where_the_loop_does(tmp_path):
    _, recorder = train(tiny_config(tmp_path, **{'train_cfg.val_interval': 3}))
    assert recorder.validated == [(3, 'first'), (6, 'second'), (7, 'second')]


def test_optimizer_holds_what_learns(unbroken):
    _, runner, _ = unbroken
    held = [p for g in runner.optim_wrapper.param_groups for p in g['params']]
    assert {id(p) for p in held} == {id(p) for p in runner.model.head.parameters()}
    assert all(p.grad is None for p in runner.model.conv.parameters())


def test_max_iters_follow_the_stages(tmp_path):
    cfg = tiny_config(tmp_path)
    cfg.merge_from_dict({'custom_hooks.0.stages.1.iters': 2})
    runner, recorder = train(cfg)
    assert runner.max_iters == 5 and max(recorder.losses) == 4
    assert recorder.validated == [(3, 'first'), (5, 'second')]


@pytest.mark.parametrize('iteration, workers', [
    (2, 0), (3, 0), (4, 0), (7, 0), (5, 2)])
def test_resumed_equals_unbroken(unbroken, tmp_path, iteration, workers):
    old, runner, recorder = unbroken
    options = {
        'model.dropout': 0.3,
        'model.norm': True,
        'resume': True,
        'load_from': os.path.join(old.work_dir, f'iter_{iteration}.pth'),
        # The seed of the checkpoint counts.
        'randomness.seed': None,
    }
    resumed, notes = train(tiny_config(tmp_path, workers=workers, **options))
    assert_continued((resumed, notes), (runner, recorder), iteration)
    assert notes.validated == [
        (k, stage) for k, stage in recorder.validated if k >= iteration]
    assert notes.scores == recorder.scores[-len(notes.scores):]
    assert_same(
        saved(tmp_path, 'stage_second.pth')['state_dict'],
        saved(old.work_dir, 'stage_second.pth')['state_dict'])


def test_resumes_amid_accumulated_gradients(tmp_path):
    options = {'optim_wrapper.accumulative_counts': 2, 'model.dropout': 0.3}
    cfg = tiny_config(tmp_path / 'unbroken', **options)
    unbroken = train(cfg)
    for iteration in (1, 3, 4):
        resumed = train(tiny_config(
            tmp_path / str(iteration),
            resume=True,
            load_from=f'{cfg.work_dir}/iter_{iteration}.pth',
            **options))
        assert_continued(resumed, unbroken, iteration)


def test_resumes_with_moving_average(tmp_path):
    def config(name, **options):
        cfg = tiny_config(tmp_path / name, **options)
        cfg.custom_hooks.append(dict(type='EMAHook', momentum=0.5))
        return cfg

    runner, recorder = train(config('unbroken'))
    resumed, notes = train(config(
        'resumed', resume=True,
        load_from=str(tmp_path / 'unbroken' / 'iter_3.pth')))
    assert_continued((resumed, notes), (runner, recorder), 3)
    assert notes.scores == recorder.scores


def test_load_from_switches_nothing(unbroken, tmp_path):
    old, _, _ = unbroken
    runner, recorder = train(tiny_config(
        tmp_path,
        load_from=os.path.join(old.work_dir, 'iter_5.pth'),
        **{'model.norm': True}))
    assert min(recorder.losses) == 0
    assert recorder.validated == [(3, 'first'), (7, 'second')]


def test_test_run_is_in_the_stage_of_the_checkpoint(unbroken, tmp_path):
    old, _, recorder = unbroken
    for name, stage in (('stage_first', 'first'), ('stage_second', 'second')):
        cfg = tiny_config(
            tmp_path, load_from=os.path.join(old.work_dir, f'{name}.pth'),
            **{'model.norm': True})
        setup_entry_point(cfg)
        runner = Runner.from_cfg(cfg)
        runner.test()
        assert runner.model.stage == stage


def test_apply_checkpoint_stage():
    model = TinyModel()
    apply_checkpoint_stage(model, dict(meta=dict(stage='second')))
    assert model.stage == 'second'
    apply_checkpoint_stage(model, dict(state_dict={}))
    assert model.stage == 'second'
    apply_checkpoint_stage(torch.nn.Linear(1, 1), dict(meta=dict(stage='x')))


def test_resume_checks_the_stages(unbroken, tmp_path):
    old, _, _ = unbroken
    options = {
        'model.norm': True, 'resume': True,
        'load_from': os.path.join(old.work_dir, 'iter_4.pth')}
    longer = [dict(name='first', iters=5), dict(name='second', iters=2)]
    with pytest.raises(ValueError, match="'second' at iteration 4.*'first'"):
        train(tiny_config(tmp_path, longer, **options))
    shorter = [dict(name='first', iters=1), dict(name='second', iters=1)]
    with pytest.raises(ValueError, match='iteration 4: the stages end at 2'):
        train(tiny_config(tmp_path, shorter, **options))


@pytest.mark.parametrize('stages, message', [
    ([], 'distinct names'),
    ([dict(name='a', iters=1), dict(name='a', iters=1)], 'distinct names'),
    ([dict(name='a', iters=0)], "iters of stage 'a' must be a positive"),
    ([dict(name='a')], 'has the keys name, iters'),
    ([dict(name='a', iters=1, lr=1)], r"got \['iters', 'lr', 'name'\]"),
])
def test_malformed_stages(stages, message):
    with pytest.raises(ValueError, match=message):
        StageSwitchHook(stages)


def test_epochs_are_for_test_runs_and_the_tool(tmp_path):
    # A test run builds the hook and does not ask how long stages are.
    StageSwitchHook([dict(name='a', epochs=2, min_iters=3, cap_iters=9)])
    cfg = tiny_config(tmp_path, [dict(name='a', epochs=2)])
    with pytest.raises(ValueError, match='tools/train.py, which turns them'):
        train(cfg)


def test_needs_iterations_and_something_to_train(tmp_path, monkeypatch):
    cfg = tiny_config(tmp_path)
    cfg.train_cfg = dict(by_epoch=True, max_epochs=1)
    with pytest.raises(ValueError, match='IterBasedTrainLoop'):
        train(cfg)

    cfg = tiny_config(tmp_path)
    monkeypatch.setattr(TinyModel, 'switch_stage',
                        lambda self, stage: self.requires_grad_(False))
    with pytest.raises(ValueError, match="nothing to train in stage 'first'"):
        train(cfg)


def test_another_optimizer_replaces_the_inherited(tmp_path):
    stages = [
        dict(name='first', iters=2, param_scheduler=None),
        dict(name='second', iters=2, optim_wrapper=dict(
            clip_grad=dict(max_norm=1), optimizer=dict(type='Adam', lr=0.1)))
    ]
    runner, recorder = train(tiny_config(tmp_path, stages))
    assert isinstance(runner.optim_wrapper.optimizer, torch.optim.Adam)
    assert runner.optim_wrapper.clip_grad_kwargs == dict(max_norm=1)
    assert recorder.rates[0] == recorder.rates[1] == 0.2


def test_losses_of_an_old_stage_are_not_logged(unbroken):
    _, runner, _ = unbroken
    assert len(runner.message_hub.get_scalar('train/loss')._log_history) == 4


def test_distributed_wrapper_is_fresh(tmp_path, gloo):
    """One process with a wrapper: the old reducer goes, training goes on."""
    plain, _ = train(tiny_config(tmp_path / 'plain'))
    cfg = tiny_config(tmp_path / 'wrapped')
    setup_entry_point(cfg, 'pytorch')
    runner = Runner.from_cfg(cfg)
    first = weakref.ref(runner.model)
    runner.train()
    gc.collect()
    assert first() is None
    assert_same(runner.model.module.state_dict(), plain.model.state_dict())

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import os

import pytest
import torch
from mmengine.runner import Runner
from mmseg.registry import MODELS
from tiny_training import TinyModel, assert_continued, tiny_config, train

from mmwsss.engine import load_checkpoint_file, setup_entry_point

MOMENTUM = 0.3


@MODELS.register_module()
class TinyTaughtModel(TinyModel):
    """Agrees with its teacher's score."""

    def __init__(self, **kwargs) -> None:
        super().__init__(**kwargs)
        self._teacher = (None, )
        self.weights = []

    def set_teacher(self, teacher) -> None:
        self._teacher = (teacher, )

    def forward(self, inputs, data_samples=None, mode='tensor'):
        outputs = super().forward(inputs, data_samples, mode)
        if mode == 'loss':
            teacher, = self._teacher
            assert not teacher.training and teacher.stage == self.stage
            assert not any(p.requires_grad for p in teacher.parameters())
            with torch.no_grad():
                target = torch.stack(teacher(inputs))
            score = torch.stack(super().forward(inputs))
            outputs['loss_agree'] = (score - target).square().mean()
            self.weights.append(self.head.weight.detach().clone())
            self.seen = teacher.head.weight.clone()
        return outputs


def taught(work_dir, **options):
    cfg = tiny_config(
        work_dir, **{'model.type': 'TinyTaughtModel', 'model.dropout': 0.3,
                     'model.norm': True, **options})
    cfg.custom_hooks.append(dict(type='EMAPseudoLabelHook', momentum=MOMENTUM))
    return cfg


@pytest.fixture(scope='module')
def unbroken(tmp_path_factory):
    cfg = taught(tmp_path_factory.mktemp('ema'))
    runner, recorder = train(cfg)
    return cfg, runner, recorder


def test_average_against_naive(unbroken):
    _, runner, _ = unbroken
    model = runner.model
    weights = [*model.weights, model.head.weight.detach()]
    average = weights[1]
    for weight in weights[2:-1]:
        average = (1 - MOMENTUM) * average + MOMENTUM * weight
    torch.testing.assert_close(model.seen, average)
    average = (1 - MOMENTUM) * average + MOMENTUM * weights[-1]
    torch.testing.assert_close(model._teacher[0].head.weight, average)
    assert not torch.equal(weights[0], weights[-1])


def test_it_is_no_part_of_the_model(unbroken):
    cfg, runner, _ = unbroken
    plain = MODELS.build(dict(type='TinyModel', norm=True)).state_dict()
    checkpoint = load_checkpoint_file(os.path.join(cfg.work_dir, 'iter_7.pth'))
    assert checkpoint['state_dict'].keys() == plain.keys()
    teacher = runner.model._teacher[0].state_dict()
    saved = checkpoint['teacher']
    assert saved.pop('steps') == 7
    for key, value in teacher.items():
        assert torch.equal(saved.pop(f'module.{key}'), value)
    assert not saved


@pytest.mark.parametrize('iteration', [3, 5])
def test_resumed_equals_unbroken(unbroken, tmp_path, iteration):
    cfg, *whole = unbroken
    resumed = train(taught(
        tmp_path, resume=True,
        load_from=os.path.join(cfg.work_dir, f'iter_{iteration}.pth')))
    assert_continued(resumed, whole, iteration)


def test_accumulated_gradients_count_as_one_update(tmp_path):
    runner, _ = train(taught(
        tmp_path, stages=[dict(name='both', iters=5)],
        **{'optim_wrapper.accumulative_counts': 2}))
    hook, = (h for h in runner.hooks if type(h).__name__ == 'EMAPseudoLabelHook')
    assert hook.average.steps == 3


def test_distributed_wrappers_of_stages(tmp_path, gloo, unbroken):
    cfg = taught(tmp_path)
    setup_entry_point(cfg, 'pytorch')
    runner = Runner.from_cfg(cfg)
    runner.train()
    model = runner.model.module
    for key, value in unbroken[1].model._teacher[0].state_dict().items():
        assert torch.equal(model._teacher[0].state_dict()[key], value), key


def test_a_test_run_needs_no_teacher(unbroken, tmp_path):
    old, _, _ = unbroken
    cfg = taught(tmp_path)
    cfg.load_from = os.path.join(old.work_dir, 'iter_7.pth')
    runner = Runner.from_cfg(cfg)
    assert 'score' in runner.test()
    assert runner.model._teacher == (None, )


def test_model_without_set_teacher(tmp_path):
    with pytest.raises(ValueError, match='TinyModel has no set_teacher'):
        train(taught(tmp_path, **{'model.type': 'TinyModel'}))

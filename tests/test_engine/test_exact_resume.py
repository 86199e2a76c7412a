# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Every method, resumed in each of its stages, ends as the unbroken run."""

import pytest
import torch
from esol_training import STAGES, esol_config
from test_fsae_training import fsae_config, with_teacher
from test_single_stage_training import config as single_stage_config
from test_two_processes import METHODS, method_config
from tiny_training import train

from mmwsss.engine import load_checkpoint_file


def demo(name):
    # The statistics of the norms are part of what a checkpoint must hold.
    return lambda *args, **options: method_config(
        name, *args, **{'model.backbone.norm_eval': False, **options})


CONFIGS = dict(
    {name: demo(name) for name in METHODS},
    esol=esol_config,
    fsae=lambda *args, **options: with_teacher(fsae_config(*args, **options)),
    single_stage=lambda *args, **options: single_stage_config(
        *args, teacher=True, **options))
# Within a stage, and at its end.
ITERATIONS = dict(
    {name: (3, ) for name in METHODS},
    esol=(1, 2, 3, 5), fsae=(1, 3), single_stage=(2, 3))


@pytest.fixture(scope='module')
def unbroken(voc_root, tmp_path_factory):
    """The folder, runner and notes of a method's unbroken run."""
    done = {}

    def run(name):
        if name not in done:
            work_dir = tmp_path_factory.mktemp(name.replace('/', '_'))
            done[name] = (work_dir, *train(CONFIGS[name](voc_root, work_dir)))
        return done[name]

    return run


def states(runner):
    """Of the model and of what teaches it."""
    teacher, = getattr(runner.model, '_teacher', (None, ))
    models = [runner.model] if teacher is None else [runner.model, teacher]
    return [model.state_dict() for model in models]


@pytest.mark.parametrize('name, iteration', [
    (name, iteration) for name in CONFIGS for iteration in ITERATIONS[name]])
def test_resumed_equals_unbroken(voc_root, unbroken, tmp_path, name, iteration):
    work_dir, runner, recorder = unbroken(name)
    resumed, notes = train(CONFIGS[name](
        voc_root, tmp_path, resume=True,
        load_from=str(work_dir / f'iter_{iteration}.pth')))
    for kind in ('losses', 'rates'):
        assert getattr(notes, kind) == {
            k: v for k, v in getattr(recorder, kind).items() if k >= iteration}
    assert len(set(recorder.losses.values())) == len(recorder.losses)
    for mine, other in zip(states(resumed), states(runner), strict=True):
        for key, value in other.items():
            assert torch.equal(mine[key], value), key


def test_esol_runs_through_all_stages(unbroken):
    work_dir, _, recorder = unbroken('esol')
    assert [stage for _, stage in recorder.validated] == list(STAGES)
    assert [k for k, _ in recorder.validated] == [2, 4, 6]
    states = [
        load_checkpoint_file(work_dir / f'stage_{name}.pth')['state_dict']
        for name in STAGES
    ]
    for before, after, branch in ((states[0], states[1], 'conv_1.conv_offset'),
                                  (states[1], states[2], 'conv_2.conv_offset')):
        changed = {k for k in after if not torch.equal(before[k], after[k])}
        assert changed and all(branch in key for key in changed)


def test_irn_measures_the_mean_displacement(unbroken):
    _, runner, _ = unbroken('irn/irn_demo')
    assert runner.model.auxiliary_head.running_mean.abs().sum() > 0


def test_fsae_scalars(unbroken):
    _, runner, _ = unbroken('fsae')
    scalars = runner.message_hub.log_scalars
    loss = scalars['train/loss_fsae']._log_history
    assert len(loss) == 3 and (loss > 0).any()
    for name in ('covered', 'ring', 'background'):
        values = scalars[f'train/fsae.{name}']._log_history
        assert len(values) == 3 and 0 <= values.min() <= values.max() <= 1


def test_single_stage_learns_from_its_teacher(voc_root, unbroken, tmp_path):
    _, runner, _ = unbroken('single_stage')
    teacher, = runner.model._teacher
    assert teacher.stage == 'self_train' and not teacher.training
    plain, _ = train(single_stage_config(voc_root, tmp_path))
    state = plain.model.state_dict()
    assert any(not torch.equal(state[key], value)
               for key, value in runner.model.state_dict().items())

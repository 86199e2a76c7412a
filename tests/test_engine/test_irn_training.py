# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import pytest
import torch
from test_two_processes import METHODS
from tiny_training import demo_config, train

NAME = 'irn/irn_demo'


def config(voc_root, work_dir, **options):
    # The statistics of the norms are part of what a checkpoint must hold.
    return demo_config(
        voc_root, work_dir, NAME,
        **{**METHODS[NAME], 'model.backbone.norm_eval': False, **options})


@pytest.fixture(scope='module')
def unbroken(voc_root, tmp_path_factory):
    work_dir = tmp_path_factory.mktemp('irn')
    runner, recorder = train(config(voc_root, work_dir))
    return work_dir, runner, recorder


def test_learns_and_measures_the_mean_displacement(unbroken):
    _, runner, recorder = unbroken
    assert list(recorder.losses) == [0, 1, 2, 3]
    assert len(set(recorder.losses.values())) == 4
    assert runner.model.auxiliary_head.running_mean.abs().sum() > 0


@pytest.mark.parametrize('iteration', [1, 3])
def test_resumed_equals_unbroken(voc_root, unbroken, tmp_path, iteration):
    work_dir, runner, recorder = unbroken
    resumed, notes = train(config(
        voc_root, tmp_path, resume=True,
        load_from=str(work_dir / f'iter_{iteration}.pth')))
    assert notes.losses == {
        k: v for k, v in recorder.losses.items() if k >= iteration}
    assert notes.rates == {
        k: v for k, v in recorder.rates.items() if k >= iteration}
    for key, value in runner.model.state_dict().items():
        assert torch.equal(resumed.model.state_dict()[key], value), key

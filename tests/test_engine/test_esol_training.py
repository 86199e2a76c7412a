# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import pytest
import torch
from esol_training import STAGES, esol_config
from tiny_training import train

from mmwsss.engine import load_checkpoint_file


@pytest.fixture(scope='module')
def unbroken(voc_root, tmp_path_factory):
    work_dir = tmp_path_factory.mktemp('esol')
    runner, recorder = train(esol_config(voc_root, work_dir))
    return work_dir, runner, recorder


def test_runs_through_all_stages(unbroken):
    work_dir, _, recorder = unbroken
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


@pytest.mark.parametrize('iteration', [1, 2, 3, 5])
def test_resumed_equals_unbroken(voc_root, unbroken, tmp_path, iteration):
    work_dir, runner, recorder = unbroken
    resumed, notes = train(esol_config(
        voc_root, tmp_path, resume=True,
        load_from=str(work_dir / f'iter_{iteration}.pth')))
    assert notes.losses == {
        k: v for k, v in recorder.losses.items() if k >= iteration}
    for key, value in runner.model.state_dict().items():
        assert torch.equal(resumed.model.state_dict()[key], value), key

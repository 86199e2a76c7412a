# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Two processes with half a batch each train as one with all of it."""

import pytest
import torch
from method_training import METHODS, TAUGHT, method_config
from mmengine.dist import all_reduce, get_rank
from tiny_training import in_two_processes, train

from mmwsss.engine import load_checkpoint_file

# Without what depends on how a batch is divided.
OPTIONS = {
    'single_stage/single_stage_demo': {
        'model.decode_head.norm_cfg': dict(type='GN', num_groups=2),
        'model.decode_head.gate': dict(rate=0.3, deterministic=True)},
}


@pytest.mark.parametrize('name', METHODS)
def test_two_processes_equal_one(voc_root, tmp_path, monkeypatch, name):
    monkeypatch.setattr(
        'torch.nn.functional.dropout', lambda x, *args, **kwargs: x)

    def config(folder, batch_size):
        return method_config(name, voc_root, tmp_path / folder, batch_size, **{
            'model.backbone.norm_eval': True,
            'optim_wrapper.optimizer': dict(
                _delete_=True, type='SGD', lr=0.02, momentum=0.9),
            **OPTIONS.get(name, {})})

    def run():
        _, recorder = train(config('two', 2), 'pytorch')
        mine = torch.tensor(list(recorder.losses.values()))
        mean = mine.clone()
        all_reduce(mean, op='mean')
        assert not torch.equal(mine, mean)
        if get_rank() == 0:
            torch.save(mean, tmp_path / 'losses.pth')

    in_two_processes(run)
    runner, recorder = train(config('one', 4))
    torch.testing.assert_close(
        torch.load(tmp_path / 'losses.pth'),
        torch.tensor(list(recorder.losses.values())), rtol=1e-4, atol=1e-5)
    two = load_checkpoint_file(tmp_path / 'two' / 'iter_4.pth')
    for key, value in runner.model.state_dict().items():
        torch.testing.assert_close(
            two['state_dict'][key], value, rtol=1e-3, atol=1e-5)
    if name in TAUGHT:
        teacher, = runner.model._teacher
        for key, value in teacher.state_dict().items():
            torch.testing.assert_close(
                two['teacher'][f'module.{key}'], value, rtol=1e-3, atol=1e-5)

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import os

import pytest
import torch
from tiny_training import tiny_config, train

from mmwsss.engine import load_checkpoint_file


def test_names_iteration_and_images(tmp_path):
    """It stops before the bad weights are saved."""
    cfg = tiny_config(tmp_path, **{'model.nan_at': 'photo_3'})
    with pytest.raises(FloatingPointError) as error:
        train(cfg)
    iteration = int(str(error.value).split('iteration ')[1].split(':')[0])
    assert 'photo_3' in str(error.value) and "'loss': nan" in str(error.value)
    saved = [n for n in os.listdir(tmp_path) if n.startswith('iter_')]
    assert len(saved) == iteration - 1
    for name in saved:
        for value in load_checkpoint_file(tmp_path / name)['state_dict'].values():
            assert torch.isfinite(value).all()


def test_infinite_weights_are_not_saved(tmp_path):
    """A finite loss whose step leads to infinite weights."""
    runner, _ = train(tiny_config(tmp_path))
    runner.model.conv.bias.data[1] = float('inf')
    with pytest.raises(FloatingPointError, match='conv.bias .* 9,.* photo_'):
        runner.save_checkpoint(tmp_path, 'bad.pth', meta=dict(iter=9))
    assert not (tmp_path / 'bad.pth').exists()


def test_can_be_left_out(tmp_path):
    cfg = tiny_config(tmp_path, **{'model.nan_at': 'photo_3'})
    cfg.default_hooks.nan_loss = None
    _, recorder = train(cfg)
    assert max(recorder.losses) == 6

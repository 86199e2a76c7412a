# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import os
from urllib.error import URLError

import pytest
from mmengine.config import Config
from mmengine.model import is_model_wrapper
from torch import distributed, nn

from mmwsss.engine import (
    find_resumable_checkpoint,
    naming_weights,
    setup_entry_point,
)
from mmwsss.engine.runner.build import WSSSRunner
from mmwsss.utils.io import check_output_folder


@pytest.mark.parametrize('launcher, names', [
    ('pytorch', dict(RANK='RANK', WORLD_SIZE='WORLD_SIZE')),
    ('slurm', dict(RANK='SLURM_PROCID', WORLD_SIZE='SLURM_NTASKS',
                   LOCAL_RANK='SLURM_LOCALID')),
    ('mpi', dict(RANK='OMPI_COMM_WORLD_RANK',
                 WORLD_SIZE='OMPI_COMM_WORLD_SIZE',
                 LOCAL_RANK='OMPI_COMM_WORLD_LOCAL_RANK')),
])
def test_starts_gloo_without_a_gpu(monkeypatch, gloo, launcher, names):
    monkeypatch.setattr('torch.cuda.is_available', lambda: False)
    monkeypatch.setenv('SLURM_NODELIST', 'here')
    for name, source in names.items():
        value = os.environ[name]
        if source != name:
            monkeypatch.delenv(name)
        monkeypatch.setenv(source, value)
    cfg = Config(dict(model_wrapper_cfg=dict(find_unused_parameters=True)))
    setup_entry_point(cfg, launcher)
    assert distributed.get_backend() == 'gloo'
    assert os.environ['RANK'] == '0' and os.environ['LOCAL_RANK'] == '0'
    assert cfg.launcher == launcher
    assert cfg.model_wrapper_cfg == dict(
        find_unused_parameters=True, device_ids=None)


def test_a_model_of_which_nothing_learns_is_not_wrapped(monkeypatch, gloo):
    """PyTorch would refuse it, and seeds of a frozen CLIP need several processes."""
    monkeypatch.setattr('torch.cuda.is_available', lambda: False)
    cfg = Config(dict())
    setup_entry_point(cfg, 'pytorch')
    runner = object.__new__(WSSSRunner)
    runner.cfg, runner._distributed = cfg, True
    model = nn.Linear(1, 1)
    assert is_model_wrapper(runner.wrap_model(cfg.model_wrapper_cfg, model))
    model.requires_grad_(False)
    assert runner.wrap_model(cfg.model_wrapper_cfg, model) is model


def test_unknown_launcher(monkeypatch):
    monkeypatch.setattr('torch.cuda.is_available', lambda: False)
    with pytest.raises(ValueError, match="unknown launcher 'rocket'"):
        setup_entry_point(Config(dict()), 'rocket')


@pytest.mark.parametrize('launcher, said', [
    ('pytorch', 'torchrun .* RANK, WORLD_SIZE'),
    ('slurm', 'srun .* SLURM_NODELIST'),
    ('mpi', 'mpirun .* OMPI_COMM_WORLD_RANK')])
@pytest.mark.parametrize('gpu', [False, True])
def test_a_launcher_that_did_not_start_this(monkeypatch, launcher, said, gpu):
    monkeypatch.setattr('torch.cuda.is_available', lambda: gpu)
    monkeypatch.setattr(os, 'environ', {})
    with pytest.raises(ValueError, match=f'--launcher {launcher}: {said}'):
        setup_entry_point(Config(dict()), launcher)


def test_hooks_join_once():
    cfg = Config(dict(default_hooks=dict(
        checkpoint=dict(type='CheckpointHook', interval=7), nan_loss=None)))
    for _ in range(2):
        setup_entry_point(cfg)
    hooks = cfg.default_hooks
    assert hooks.checkpoint == dict(type='mmseg.AtomicCheckpointHook', interval=7)
    assert hooks.exact_resume.type == 'mmseg.ExactResumeHook'
    setup_entry_point(own := Config(dict(default_hooks=dict(
        checkpoint=dict(type='MyHook')))))
    assert own.default_hooks.checkpoint.type == 'MyHook'


def test_output_folder(tmp_path, monkeypatch):
    check_output_folder(tmp_path / 'a' / 'b')
    assert os.listdir(tmp_path / 'a' / 'b') == []
    (tmp_path / 'file').write_text('')
    with pytest.raises(OSError, match='cannot write into .*file'):
        check_output_folder(tmp_path / 'file')

    def full(handle) -> None:
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, 'fsync', full)
    with pytest.raises(OSError, match='into .*/c: No space left'):
        check_output_folder(tmp_path / 'c')


def test_resumable_checkpoint(tmp_path):
    assert find_resumable_checkpoint(tmp_path) is None
    old, new = tmp_path / 'old', tmp_path / 'new'
    old.mkdir()
    (old / 'iter_3.pth').write_text('')
    (old / 'last_checkpoint').write_text(str(old / 'iter_3.pth'))
    assert find_resumable_checkpoint(old) == str(old / 'iter_3.pth')
    old.rename(new)
    assert find_resumable_checkpoint(new) == str(new / 'iter_3.pth')
    (new / 'iter_3.pth').unlink()
    with pytest.raises(FileNotFoundError, match='last_checkpoint names'):
        find_resumable_checkpoint(new)


@pytest.mark.parametrize('backbone, sentence', [
    (dict(type='ResNet', init_cfg=dict(type='Pretrained', checkpoint='torchvision://x')),
     'torchvision://x .*--weights'),
    (dict(type='mmpretrain.TIMMBackbone', model_name='mobilenetv1_100',
          pretrained=True),
     'https://huggingface.co/timm/mobilenetv1_100.*model.safetensors')])
def test_weights_that_cannot_be_downloaded_are_named(backbone, sentence):
    cfg = Config(dict(model=dict(backbone=backbone)))
    with pytest.raises(ConnectionError, match=sentence):
        with naming_weights(cfg):
            raise URLError('Name or service not known')
    # Another error says itself what is wrong.
    with pytest.raises(FileNotFoundError, match='own'):
        with naming_weights(cfg):
            raise FileNotFoundError('own')

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Wrong values in a config end in one sentence, which says of what part they are."""

from argparse import Namespace

import pytest
from mmengine.runner import IterBasedTrainLoop
from tool_runner import load_tool

from mmwsss.utils import project_path
from mmwsss.utils.build_errors import failed_part
from mmwsss.utils.entry_point import run_tool

# Stages of one iteration each, tiny data.
CONFIG = """
_base_ = {base!r}
train_cfg = dict(max_iters=2, val_interval=9)
custom_hooks = [dict(type='StageSwitchHook', stages=[
    dict(name='classify', iters=1), dict(name='shrink', iters=1)])]
"""
HEAD, DATA = 'model.decode_head', 'train_dataloader.dataset'

# A setting, its value, what is said; nothing for what is taken.
WRONG = [
    # of networks
    ('model.backbone.strides', 3, "model.backbone (ResNet) cannot be built with the "
     "options model.backbone.strides=3: object of type 'int' has no len()"),
    ('model.backbone.num_stages', -1, 'num_stages=-1: assert num_stages >= 1'),
    ('model.backbone.init_cfg', 3, 'model cannot be built with the options '
     'model.backbone.init_cfg=3'),
    (f'{HEAD}.in_channels', None, f'{HEAD} (ESOLHead) cannot be built with the '),
    ('model.data_preprocessor.mean', 3, 'data_preprocessor (SegDataPreProcessor)'),
    ('model.test_cfg.mode', 'x', "must be 'whole' or 'slide', got 'x'"),
    ('model.test_cfg.mode', 'slide', 'computes whole photos'),
    # of networks, which show when they meet
    (f'{HEAD}.in_channels', 7, f'{HEAD}.conv_1 (OffsetConv2d) fails on the first batch '
     'of IterBasedTrainLoop: Given groups=1'),
    (f'{HEAD}.loss_area.loss_weight', None, f'{HEAD}.loss_area (AreaLoss) fails on the '
     'first batch'),
    # of data
    (f'{DATA}.pipeline.3.prob', 3, f'{DATA}.pipeline.3 (RandomFlip) cannot be built'),
    (f'{DATA}.pipeline.1.type', 'x', f'{DATA}.pipeline.1 (x) cannot be built'),
    ('train_dataloader.collate_fn', 3, 'train_dataloader cannot be built'),
    ('train_dataloader.sampler.shuffle', 'x', 'it is True, expected True or False'),
    ('val_evaluator.type', 3, 'val_evaluator (3) cannot be built'),
    # of training
    ('optim_wrapper.optimizer.type', 'x', 'optim_wrapper.optimizer (x) cannot be'),
    ('optim_wrapper.optimizer.lr', [], "it is the number 0.1, got []"),
    ('custom_hooks.0.stages.0.name', 'x', "got 'x'"),
    ('default_hooks.logger.interval', 0, 'default_hooks.logger.interval must be'),
    ('default_hooks.timer', dict(type='x'), 'default_hooks.timer (x) cannot be built'),
    ('custom_hooks.0.stages.1', dict(name='shrink', iters=1, optim_wrapper=dict(
        optimizer=dict(lr=None))), 'optim_wrapper cannot be built'),
    ('custom_hooks.0.stages.0', dict(name='classify', iters=1, optim_wrapper=dict(
        optimizer=3)), 'custom_hooks.0 (StageSwitchHook) cannot be built'),
    ('visualizer.type', 'x', 'visualizer (x) cannot be built'),
    ('activation_checkpointing', ['x'], 'activation_checkpointing cannot be built'),
    ('auto_scale_lr', dict(base_batch_size='x', enable=True), 'auto_scale_lr cannot'),
    ('runner_type', 'x', 'runner_type cannot be built'),
    ('resume', True, 'option resume: give --resume instead'),
    ('launcher', 'pytorch', 'option launcher: give --launcher instead'),
    ('sync_bn', 'x', "option sync_bn must be 'torch' or 'mmcv'"),
    ('log_processor.num_digits', 'x', 'option log_processor.num_digits must be'),
    ('default_hooks.checkpoint.max_keep_ckpts', None, 'max_keep_ckpts must be'),
    ('compile', 3, 'option compile must be True, False or a dict, got 3'),
    ('efficient_conv_bn_eval', 'x', 'efficient_conv_bn_eval cannot be built'),
    ('experiment_name', 5, 'option experiment_name must be a string, got 5'),
    ('randomness.deterministic', 3, 'option randomness.deterministic'),
    # taken
    ('model.backbone.in_channels', 3, ''),
]


@pytest.fixture(scope='module')
def config(tmp_path_factory, voc_root):
    path = tmp_path_factory.mktemp('config') / 'esol.py'
    base = project_path('configs', 'esol', 'esol_demo.py')
    path.write_text(CONFIG.format(base=base))
    return str(path), dict(data_root=str(voc_root), **{
        f'train_dataloader.{key}': value for key, value in dict(
            num_workers=0, persistent_workers=False, batch_size=2).items()})


def train(config, key, value, folder):
    path, options = config
    args = Namespace(
        config=path, work_dir=str(folder), resume=False, amp=False, launcher='none',
        cfg_options={**options, key: value})
    run_tool(lambda: args, load_tool('train').main)


@pytest.mark.parametrize('key, value, said', WRONG)
def test_a_wrong_value(config, key, value, said, tmp_path, capsys):
    if not said:
        train(config, key, value, tmp_path / 'run')
        return
    with pytest.raises(SystemExit, match='2'):
        train(config, key, value, tmp_path / 'run')
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith('error: ')
    assert said in error
    assert not list((tmp_path / 'run').glob('iter_*.pth'))


def test_a_fault_of_a_later_iteration_is_none_of_the_config(
        config, tmp_path, monkeypatch):
    monkeypatch.setattr(IterBasedTrainLoop, 'run_iter', fail_late)
    with pytest.raises(RuntimeError, match='of ours'):
        train(config, 'custom_hooks', [], tmp_path)


def fail_late(loop, batch):
    if loop._iter == 1:
        raise RuntimeError('a fault of ours')
    loop._iter += 1


def test_an_error_from_elsewhere():
    with pytest.raises(TypeError) as raised:
        sorted(['a', 1])
    assert failed_part(raised.value) == ''

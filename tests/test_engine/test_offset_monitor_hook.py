# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import importlib.util
import json
import os.path as osp
from types import SimpleNamespace

import pytest
import torch
from method_training import esol_config
from mmengine.logging import MessageHub
from tiny_training import train
from torch import nn

from mmwsss.engine.hooks.offset_monitor_hook import OffsetMonitorHook, offset_statistics
from mmwsss.models.layers import OffsetConv2d
from mmwsss.visualization import plot_offset_curves


def naive_statistics(offset):
    num, channels, height, width = offset.shape
    side = int((channels // 2)**0.5)
    lengths, inside, left = [], 0, 0
    for n in range(num):
        for point in range(side * side):
            for y in range(height):
                for x in range(width):
                    dy, dx = offset[n, 2 * point:2 * point + 2, y, x].tolist()
                    lengths.append((dy**2 + dx**2)**0.5)
                    base_y = y + point // side - side // 2
                    base_x = x + point % side - side // 2
                    if 0 <= base_y < height and 0 <= base_x < width:
                        inside += 1
                        left += not (0 <= base_y + dy <= height - 1
                                     and 0 <= base_x + dx <= width - 1)
    return dict(
        mean=sum(lengths) / len(lengths), max=max(lengths), outside=left / inside)


@pytest.mark.parametrize('side', [1, 3])
def test_statistics_against_naive(side):
    torch.manual_seed(0)
    offset = torch.randn(2, 2 * side**2, 4, 6)
    assert offset_statistics(offset) == pytest.approx(naive_statistics(offset))


def test_hook_logs_sampling_layers_only():
    model = nn.Module()
    model.decode_head = nn.ModuleDict(
        dict(conv_1=OffsetConv2d(4, 4, 3), conv_2=OffsetConv2d(4, 4, 3)))
    nn.init.constant_(model.decode_head['conv_1'].conv_offset.bias, 1.)
    hub = MessageHub.get_instance('test_offset_monitor_hook')
    runner = SimpleNamespace(model=model, message_hub=hub, iter=0)
    hook = OffsetMonitorHook(interval=2)
    image = torch.rand(1, 4, 6, 6)
    model.decode_head['conv_1'](image, sample=True)
    model.decode_head['conv_2'](image, sample=False)
    hook.after_train_iter(runner, 0)
    assert not any('offset' in key for key in hub.log_scalars)
    runner.iter = 1
    hook.after_train_iter(runner, 1)
    logged = {key: value.current() for key, value in hub.log_scalars.items()}
    assert set(logged) == {
        f'train/offset/conv_1_{kind}' for kind in ('mean', 'max', 'outside')
    }
    assert logged['train/offset/conv_1_mean'] == pytest.approx(2**0.5)
    assert logged['train/offset/conv_1_outside'] > 0


def test_scalars_of_a_training_in_stages(voc_root, tmp_path):
    """The ESOL config logs offsets from expansion on, to every backend."""
    tensorboard = importlib.util.find_spec('tensorboard')
    backends = [dict(type='LocalVisBackend')]
    if tensorboard:
        backends.append(dict(type='TensorboardVisBackend'))
    cfg = esol_config(voc_root, tmp_path, batch_size=2, **{
        'visualizer.vis_backends': backends,
        'default_hooks.logger': dict(
            type='LoggerHook', interval=1, log_metric_by_epoch=False)})
    cfg.custom_hooks.append(dict(type='OffsetMonitorHook', interval=1))
    cfg.val_dataloader = cfg.val_evaluator = cfg.val_cfg = None
    runner, _ = train(cfg)

    folder = osp.join(runner.log_dir, 'vis_data')
    with open(osp.join(folder, 'scalars.json'), encoding='utf-8') as file:
        lines = [json.loads(line) for line in file]
    first = {
        layer: min(line['step'] for line in lines
                   if f'offset/{layer}_mean' in line)
        for layer in ('conv_1', 'conv_2')
    }
    assert first == dict(conv_1=3, conv_2=5)
    plot_offset_curves(lines, str(tmp_path / 'curves.png'))
    assert (tmp_path / 'curves.png').stat().st_size > 1000
    if tensorboard:
        from tensorboard.backend.event_processing.event_accumulator import (
            EventAccumulator,
        )
        log = EventAccumulator(folder).Reload()
        tags = log.Tags()['scalars']
        assert {'loss', 'offset/conv_1_mean', 'offset/conv_2_outside'} <= set(tags)
        steps = [event.step for event in log.Scalars('offset/conv_1_mean')]
        assert steps == [3, 4, 5, 6]

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from types import SimpleNamespace

import pytest
import torch
from mmengine.logging import MessageHub
from torch import nn

from mmwsss.engine.hooks.offset_monitor_hook import (OffsetMonitorHook,
                                                     offset_statistics)
from mmwsss.models.layers import OffsetConv2d


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


def test_zero_offsets():
    statistics = offset_statistics(torch.zeros(1, 18, 5, 5))
    assert statistics == dict(mean=0, max=0, outside=0)


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

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import pytest
import torch
from mmseg.registry import PARAM_SCHEDULERS

import mmwsss  # noqa: F401


def make(lrs=(1., 10.), **kwargs):
    optimizer = torch.optim.SGD(
        [dict(params=[torch.zeros(1)], lr=lr) for lr in lrs], lr=1.)
    scheduler = PARAM_SCHEDULERS.build(
        dict(
            type='SteppedPolyLR', optimizer=optimizer, power=0.9, by_epoch=False,
            end=101, **kwargs))
    return optimizer, scheduler


def step(optimizer, scheduler):
    optimizer.step()
    scheduler.step()


def test_follows_the_closed_form_at_every_refresh():
    optimizer, scheduler = make(refresh=10)
    for iteration in range(101):
        factor = (1 - iteration // 10 * 10 / 100)**0.9
        rates = [group['lr'] for group in optimizer.param_groups]
        assert rates == pytest.approx([factor, 10 * factor])
        step(optimizer, scheduler)


def test_resumes():
    optimizer, scheduler = make()
    for _ in range(37):
        step(optimizer, scheduler)
    other_optimizer, other = make()
    other_optimizer.load_state_dict(optimizer.state_dict())
    other.load_state_dict(scheduler.state_dict())
    for _ in range(5):
        step(optimizer, scheduler)
        step(other_optimizer, other)
        assert [g['lr'] for g in other_optimizer.param_groups] == [
            g['lr'] for g in optimizer.param_groups
        ]

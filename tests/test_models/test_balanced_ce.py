# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import os

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
import torch.nn.functional as F
from mmseg.registry import MODELS

import mmwsss  # noqa: F401


def make_inputs():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(4, 3, 5, 6, generator=generator)
    label = torch.randint(3, (4, 5, 6), generator=generator)
    label[0, :3] = 255
    label[3] = 0
    return logits.requires_grad_(), label


def naive_balanced(logits, label):
    """Pixel by pixel."""
    background, foreground = [], []
    for n in range(label.shape[0]):
        for y in range(label.shape[1]):
            for x in range(label.shape[2]):
                target = int(label[n, y, x])
                if target == 255:
                    continue
                loss = -F.log_softmax(logits[n, :, y, x], dim=0)[target]
                (foreground if target else background).append(loss)
    return sum(
        torch.stack(losses).mean() for losses in (background, foreground)
        if losses)


@pytest.mark.parametrize('keep', ['all', 'background', 'foreground'])
def test_balanced_matches_naive(keep):
    logits, label = make_inputs()
    if keep == 'background':
        label[(label != 255) & (label != 0)] = 0
    elif keep == 'foreground':
        label[label == 0] = 2
    loss = MODELS.build(dict(type='BalancedCrossEntropyLoss'))(logits, label)
    torch.testing.assert_close(loss, naive_balanced(logits, label))
    gradient, = torch.autograd.grad(loss, logits)
    expected, = torch.autograd.grad(naive_balanced(logits, label), logits)
    torch.testing.assert_close(gradient, expected)
    assert not gradient.permute(0, 2, 3, 1)[label == 255].any()


def test_plain_matches_torch():
    logits, label = make_inputs()
    loss = MODELS.build(
        dict(type='PixelCrossEntropyLoss', loss_weight=0.5))(logits, label)
    torch.testing.assert_close(
        loss, 0.5 * F.cross_entropy(logits, label, ignore_index=255))


@pytest.mark.parametrize(
    'kind', ['PixelCrossEntropyLoss', 'BalancedCrossEntropyLoss'])
def test_no_valid_pixel_gives_zero(kind):
    logits, label = make_inputs()
    loss = MODELS.build(dict(type=kind))(logits, torch.full_like(label, 255))
    loss.backward()
    assert loss == 0
    assert not logits.grad.any()


@pytest.mark.parametrize(
    'kind', ['PixelCrossEntropyLoss', 'BalancedCrossEntropyLoss'])
def test_half_precision_logits_are_reduced_in_single(kind):
    logits, label = make_inputs()
    loss = MODELS.build(dict(type=kind))
    assert loss(logits.half(), label).dtype == torch.float32


@pytest.mark.parametrize(
    'kind', ['PixelCrossEntropyLoss', 'BalancedCrossEntropyLoss'])
def test_pixel_weights(kind):
    logits, label = make_inputs()
    loss = MODELS.build(dict(type=kind))
    weight = torch.full(label.shape, 0.25)
    torch.testing.assert_close(
        loss(logits, label, weight=weight), loss(logits, label) / 4)


def _half_batch(rank, port, kind, gradients):
    os.environ.update(MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port))
    dist.init_process_group('gloo', rank=rank, world_size=2)
    logits, label = make_inputs()
    half = slice(2 * rank, 2 * rank + 2)
    loss = MODELS.build(dict(type=kind))(logits[half], label[half])
    # What DistributedDataParallel hands to the optimizer.
    gradients[rank] = torch.autograd.grad(loss, logits)[0] / 2
    dist.destroy_process_group()


def test_two_processes_get_the_gradient_of_one():
    """The halves hold different numbers of valid and of background pixels."""
    logits, label = make_inputs()
    context = mp.get_context('fork')
    for kind in ('PixelCrossEntropyLoss', 'BalancedCrossEntropyLoss'):
        loss = MODELS.build(dict(type=kind))(logits, label)
        expected, = torch.autograd.grad(loss, logits)
        gradients = torch.zeros(2, *logits.shape).share_memory_()
        with torch.no_grad():
            store = dist.TCPStore('127.0.0.1', 0, is_master=True)
        processes = [
            context.Process(
                target=_half_batch, args=(rank, store.port, kind, gradients))
            for rank in range(2)
        ]
        del store
        for process in processes:
            process.start()
        for process in processes:
            process.join(120)
            assert process.exitcode == 0
        torch.testing.assert_close(gradients.sum(dim=0), expected)

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import pickle
import random
from itertools import islice

import numpy as np
import pytest
import torch
from mmengine.dataset import ConcatDataset, RepeatDataset
from tiny_training import TinyDataset

from mmwsss.datasets.transforms.seeding import (
    SamplePosition,
    SetRandomState,
    seed_everything,
)
from mmwsss.engine.hooks.exact_resume_hook import _ResumedIterator
from mmwsss.engine.runner import BlockShuffleSampler, ReproducibleInfiniteSampler


def take(sampler, count: int) -> list:
    return list(islice(iter(sampler), count))


def test_each_pass_is_a_permutation():
    indices = take(ReproducibleInfiniteSampler(range(7), seed=1), 21)
    passes = [indices[i:i + 7] for i in (0, 7, 14)]
    assert all(sorted(p) == list(range(7)) for p in passes)
    assert passes[0] != passes[1] != passes[2]
    assert [i.position for i in indices] == list(range(21))
    assert {i.seed for i in indices} == {1}
    assert take(ReproducibleInfiniteSampler(range(7), seed=2), 21) != indices
    plain = ReproducibleInfiniteSampler(range(3), shuffle=False, seed=1)
    assert take(plain, 5) == [0, 1, 2, 0, 1]


@pytest.mark.parametrize('world', [2, 3])
def test_processes_share_one_stream(monkeypatch, world):
    whole = take(ReproducibleInfiniteSampler(range(7), seed=1), 30)
    parts = []
    for rank in range(world):
        monkeypatch.setattr('mmengine.dataset.sampler.get_dist_info',
                            lambda rank=rank: (rank, world))
        sampler = ReproducibleInfiniteSampler(range(7), seed=1)
        parts.append(take(sampler, 30 // world))
    mixed = [i for step in zip(*parts, strict=True) for i in step]
    assert mixed == whole
    assert [i.position for i in mixed] == [i.position for i in whole]


def test_skip_is_where_the_stream_would_be():
    sampler = ReproducibleInfiniteSampler(range(7), seed=1)
    whole = take(sampler, 40)
    sampler.skip(23)
    assert take(sampler, 17) == whole[23:]
    assert take(sampler, 17) == whole[23:]
    with pytest.raises(ValueError, match='must not be negative, got -1'):
        sampler.skip(-1)


def test_empty_dataset():
    with pytest.raises(ValueError, match='list holds no sample'):
        ReproducibleInfiniteSampler([], seed=1)


def test_position_is_an_int():
    index = SamplePosition(3, position=11, seed=5)
    assert index == 3 and [0, 1, 2, 3][index] == 3
    for same in (pickle.loads(pickle.dumps(index)), index % 10, index - 0):
        assert (same, same.position, same.seed) == (3, 11, 5)


def test_position_passes_dataset_wrappers():
    def dataset():
        return TinyDataset(num_samples=4, pipeline=[lambda results: results])

    index = SamplePosition(6, position=11, seed=5)
    for wrapped in (RepeatDataset(dataset(), 2),
                    ConcatDataset([dataset(), dataset()])):
        assert wrapped[index]['sample_idx'] == 2
        assert wrapped[index]['sample_idx'].position == 11


def draw() -> tuple:
    return random.random(), np.random.rand(), torch.rand(1).item()


def test_augmentation_follows_seed_and_position():
    seen = set()
    for seed, position in ((0, 0), (0, 1), (1, 0), (2**31 - 1, 10**9)):
        draws = []
        for index in (0, 3):  # which image it is does not matter
            random.random(), torch.rand(2)
            SetRandomState()(
                dict(sample_idx=SamplePosition(index, position, seed)))
            draws.append(draw())
        assert draws[0] == draws[1]
        seen.update(draws[0])
    assert len(seen) == 12


def test_plain_indices_are_left_alone():
    seed_everything(7)
    expected = draw()
    seed_everything(7)
    assert SetRandomState()(dict(sample_idx=3)) == dict(sample_idx=3)
    assert SetRandomState()(dict()) == dict()
    assert draw() == expected


def test_resumed_iterator_loads_nothing_that_was_trained():
    """Older mmengines draw what was trained, newer ones call skip_iter."""
    loaded = []

    class Images(torch.utils.data.Dataset):

        def __len__(self) -> int:
            return 5

        def __getitem__(self, index):
            loaded.append(index.position)
            return index.position

    sampler = ReproducibleInfiniteSampler(Images(), seed=0)
    sampler.skip(6)
    loader = torch.utils.data.DataLoader(
        Images(), batch_size=2, sampler=sampler, collate_fn=list)
    for ignored in (3, 0):
        loaded.clear()
        iterator = _ResumedIterator(loader, ignored)
        if ignored:
            assert [next(iterator) for _ in range(3)] == [None] * 3
        else:
            iterator.skip_iter(3)
        assert next(iterator) == [6, 7] and next(iterator) == [8, 9]
        assert loaded == [6, 7, 8, 9]


class Blocks:
    """Samples in blocks of these sizes."""

    def __init__(self, sizes) -> None:
        self.block_starts = np.concatenate([[0], np.cumsum(sizes)])

    def __len__(self) -> int:
        return int(self.block_starts[-1])


SIZES = [3, 1, 40, 7, 7, 2, 25, 5]


@pytest.mark.parametrize('buffer_size', [1, 8, 16, 90, 1000])
def test_each_pass_over_shards_is_a_permutation(buffer_size):
    blocks = Blocks(SIZES)
    indices = take(BlockShuffleSampler(blocks, buffer_size, seed=1), 3 * 90)
    passes = [indices[i:i + 90] for i in (0, 90, 180)]
    assert all(sorted(p) == list(range(90)) for p in passes)
    assert passes[0] != passes[1] != passes[2]
    assert [i.position for i in indices] == list(range(270))
    # Buffer by buffer, the samples are those of blocks that follow each other.
    owner = np.repeat(range(len(SIZES)), SIZES)
    for order in passes:
        seen, begun = [], []
        for first in range(0, 90, buffer_size):
            part = order[first:first + buffer_size]
            seen.append({int(owner[i]) for i in part})
            begun += sorted(seen[-1] - set(begun))
        for a, b in zip(seen, seen[1:], strict=False):
            assert len(a & b) <= 1, 'one block at most lies across two buffers'
        for block in range(len(SIZES)):
            places = [i for i, part in enumerate(seen) if block in part]
            assert places == list(range(places[0], places[-1] + 1))


def test_shuffled_blocks_are_shared_and_skipped(monkeypatch):
    whole = take(BlockShuffleSampler(Blocks(SIZES), 16, seed=1), 240)
    assert take(BlockShuffleSampler(Blocks(SIZES), 16, seed=2), 240) != whole
    sampler = BlockShuffleSampler(Blocks(SIZES), 16, seed=1)
    sampler.skip(77)
    assert take(sampler, 163) == whole[77:]
    parts = []
    for rank in range(2):
        monkeypatch.setattr('mmengine.dataset.sampler.get_dist_info',
                            lambda rank=rank: (rank, 2))
        parts.append(take(BlockShuffleSampler(Blocks(SIZES), 16, seed=1), 120))
    assert [i for step in zip(*parts, strict=True) for i in step] == whole


def test_block_shuffle_is_even():
    """Each sample comes to each tenth of a pass about as often."""
    counts = np.zeros((90, 10))
    for seed in range(200):
        order = take(BlockShuffleSampler(Blocks([3] * 30), 16, seed=seed), 90)
        counts[[int(i) for i in order], np.arange(90) // 9] += 1
    assert abs(counts / 200 - 0.1).max() < 0.1


def test_plain_order_and_what_has_no_blocks():
    plain = BlockShuffleSampler(Blocks([2, 1]), 2, shuffle=False, seed=1)
    assert take(plain, 5) == [0, 1, 2, 0, 1]
    with pytest.raises(ValueError, match='from shards .* not from TinyDataset'):
        BlockShuffleSampler(TinyDataset(num_samples=4))
    with pytest.raises(ValueError, match='buffer_size must be at least 1, got 0'):
        BlockShuffleSampler(Blocks([2, 1]), 0)

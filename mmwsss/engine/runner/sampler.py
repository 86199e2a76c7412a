# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from collections.abc import Iterator, Sized
from itertools import count

import torch
from mmengine.dataset import InfiniteSampler
from mmseg.registry import DATA_SAMPLERS

from mmwsss.datasets.transforms.seeding import SamplePosition, random_words


@DATA_SAMPLERS.register_module()
class ReproducibleInfiniteSampler(InfiniteSampler):
    """An endless stream of indices that every process sees alike.

    The stream is a sequence of permutations of the dataset, each a function of
    (seed, number of the pass). Of ``W`` processes the ``r``-th takes positions
    ``r, r + W, r + 2W, ...``: so the batches of several processes together are
    the batch of one process. The indices are
    :class:`~mmwsss.datasets.transforms.seeding.SamplePosition`, from which
    ``SetRandomState`` seeds the augmentation.

    Iterating always begins at :attr:`start`; :meth:`skip` moves it, without
    going through what is skipped.

    Args:
        dataset (Sized): The dataset.
        shuffle (bool): Whether to permute each pass. Defaults to True.
        seed (int, optional): The seed; the runner gives its own. Defaults to
            None, a random one, the same in all processes.

    Raises:
        ValueError: If the dataset is empty.
    """

    def __init__(self,
                 dataset: Sized,
                 shuffle: bool = True,
                 seed: int | None = None) -> None:
        super().__init__(dataset, shuffle=shuffle, seed=seed)
        if self.size == 0:
            raise ValueError(f'{type(dataset).__name__} holds no sample')
        self.start = 0
        self.buffer_size = self.size

    def __iter__(self) -> Iterator[SamplePosition]:
        """Yield this process's indices from :attr:`start` on."""
        known, order = None, []
        for step in count(self.start):
            position = step * self.world_size + self.rank
            number, place = divmod(position, self.size)
            buffer, offset = divmod(place, self.buffer_size)
            if (number, buffer) != known:
                known = number, buffer
                order = self._order(number, buffer)
            yield SamplePosition(order[offset], position, self.seed)

    def _order(self, number: int, buffer: int) -> list[int]:
        """The dataset's indices in one buffer of a pass; here, in all of it."""
        if not self.shuffle:
            return list(range(self.size))
        return _permutation(self.size, self.seed, number).tolist()

    def skip(self, num_samples: int) -> None:
        """Let the next iteration begin after ``num_samples`` samples.

        Args:
            num_samples (int): The number of samples of this process, counted
                from the start of the stream.

        Raises:
            ValueError: If ``num_samples`` is negative.
        """
        if num_samples < 0:
            raise ValueError(
                f'num_samples must not be negative, got {num_samples}')
        self.start = num_samples


@DATA_SAMPLERS.register_module()
class BlockShuffleSampler(ReproducibleInfiniteSampler):
    """A shuffled stream over shards, in which what lies together is read together.

    In each pass the blocks of the shards (row groups of Parquet, runs of a tar) are
    permuted, and behind each other they fill a buffer of ``buffer_size`` samples
    that is permuted in turn. So only the blocks of one buffer are read at a time,
    and each once; where samples of a block follow each other in a shard, they are
    spread over a buffer with those of other blocks.

    All else is that of :class:`ReproducibleInfiniteSampler`. The order of a buffer is
    a function of (seed, number of the pass, number of the buffer): a resumed run
    computes the one that it stands in, and no more than one is held.

    Args:
        dataset (Sized): A :class:`~mmwsss.datasets.WeakShardDataset`: its
            ``block_starts`` say where each block begins, and the number of samples.
        buffer_size (int): Samples. Defaults to 2048.
        shuffle (bool): As in :class:`ReproducibleInfiniteSampler`.
        seed (int, optional): Likewise.

    Raises:
        ValueError: If the dataset is empty or has no blocks, or the buffer no room.
    """

    def __init__(self,
                 dataset: Sized,
                 buffer_size: int = 2048,
                 shuffle: bool = True,
                 seed: int | None = None) -> None:
        if not hasattr(dataset, 'block_starts'):
            raise ValueError(
                f'BlockShuffleSampler samples from shards (WeakShardDataset), not from '
                f'{type(dataset).__name__}; ReproducibleInfiniteSampler takes any')
        if buffer_size < 1:
            raise ValueError(f'buffer_size must be at least 1, got {buffer_size}')
        super().__init__(dataset, shuffle, seed)
        if shuffle:
            self.buffer_size = buffer_size
        self.block_starts = torch.as_tensor(dataset.block_starts)

    def _order(self, number: int, buffer: int) -> list[int]:
        """The indices of one buffer of a pass."""
        if not self.shuffle:
            return super()._order(number, buffer)
        sizes = self.block_starts.diff()
        blocks = _permutation(len(sizes), self.seed, number)
        # Where each block, in the order of this pass, ends in the pass.
        ends = sizes[blocks].cumsum(0)
        first = buffer * self.buffer_size
        places = torch.arange(first, min(first + self.buffer_size, self.size))
        turn = torch.searchsorted(ends, places, right=True)
        indices = self.block_starts[blocks[turn] + 1] - (ends[turn] - places)
        shuffled = indices[_permutation(len(indices), self.seed, number, buffer)]
        return shuffled.tolist()


def _permutation(size: int, *key: int) -> torch.Tensor:
    """A permutation that is a function of ``key``."""
    generator = torch.Generator()
    generator.manual_seed(random_words(2, *key)[0])
    return torch.randperm(size, generator=generator)

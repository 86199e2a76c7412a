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

    def _pass(self, number: int) -> list[int]:
        """The dataset's indices in the order of one pass."""
        if not self.shuffle:
            return list(range(self.size))
        generator = torch.Generator()
        generator.manual_seed(random_words(2, self.seed, number)[0])
        return torch.randperm(self.size, generator=generator).tolist()

    def __iter__(self) -> Iterator[SamplePosition]:
        """Yield this process's indices from :attr:`start` on."""
        number, order = -1, []
        for step in count(self.start):
            position = step * self.world_size + self.rank
            if position // self.size != number:
                number = position // self.size
                order = self._pass(number)
            yield SamplePosition(order[position % self.size], position,
                                 self.seed)

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

# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Augmentation as a function of the seed and the position in the sample stream.

The usual worker seeds make a sample's augmentation depend on which worker of
which process happens to load it. Here every index carries its position in the
global stream of samples, and the first transform of the pipeline seeds all
random generators from it. So a sample is augmented alike in one process or in
many, with any number of workers, before and after a resume.
"""

import random

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS


def random_words(*key: int) -> list[int]:
    """Mix integers into three independent 32-bit seeds.

    Neighbouring keys give unrelated words (``numpy.random.SeedSequence``), and
    keys of other meaning never collide if their first entry differs.

    Args:
        key (int): Non-negative integers, e.g. a seed and an iteration.

    Returns:
        list[int]: Three integers in [0, 2**32).
    """
    words = np.random.SeedSequence([int(part) for part in key])
    return words.generate_state(3).tolist()


def seed_everything(*key: int) -> None:
    """Seed python's, numpy's and torch's global generators from ``key``.

    Args:
        key (int): Non-negative integers, e.g. a seed and an iteration.
    """
    python_seed, numpy_seed, torch_seed = random_words(*key)
    random.seed(python_seed)
    np.random.seed(numpy_seed)
    torch.manual_seed(torch_seed)


class SamplePosition(int):
    """A dataset index that knows where in the stream of samples it stands.

    It is an ``int`` for everyone else. ``%`` and ``-`` keep the position, so
    that it passes through mmengine's ``RepeatDataset`` and ``ConcatDataset``.

    Args:
        index (int): The index into the dataset.
        position (int): The place in the global stream of samples, counted over
            all processes from the start of the training.
        seed (int): The seed of that stream.
    """

    position: int
    seed: int

    def __new__(cls, index: int, position: int, seed: int) -> 'SamplePosition':
        self = super().__new__(cls, index)
        self.position = position
        self.seed = seed
        return self

    def __reduce__(self) -> tuple:
        return SamplePosition, (int(self), self.position, self.seed)

    def __sub__(self, other: int) -> 'SamplePosition':
        return SamplePosition(int(self) - other, self.position, self.seed)

    def __mod__(self, other: int) -> 'SamplePosition':
        return SamplePosition(int(self) % other, self.position, self.seed)


@TRANSFORMS.register_module()
class SetRandomState(BaseTransform):
    """Set the random generators' state by the sample's place in the stream.

    It stands first in a training pipeline and needs
    ``ReproducibleInfiniteSampler``, whose indices are :class:`SamplePosition`.
    With any other sampler it does nothing.

    Required Keys:

    - sample_idx
    """

    def transform(self, results: dict) -> dict:
        """Seed ``random``, ``numpy.random`` and ``torch``.

        Args:
            results (dict): The sample, as the dataset made it.

        Returns:
            dict: ``results``, unchanged.
        """
        index = results.get('sample_idx')
        if isinstance(index, SamplePosition):
            seed_everything(0, index.seed, index.position)
        return results

    def __repr__(self) -> str:
        return f'{self.__class__.__name__}()'

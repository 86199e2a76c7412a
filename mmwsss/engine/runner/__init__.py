# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
from mmwsss.utils.checkpoint import load_checkpoint_file

from .build import augmented_loader, build_runner, image_loader, make_test_run
from .checkpoint import use_safe_loading
from .sampler import BlockShuffleSampler, ReproducibleInfiniteSampler
from .setup import count_epochs, find_resumable_checkpoint, setup_entry_point
from .weights import naming_weights

__all__ = [
    'BlockShuffleSampler', 'ReproducibleInfiniteSampler', 'augmented_loader',
    'build_runner', 'count_epochs', 'find_resumable_checkpoint',
    'image_loader', 'load_checkpoint_file', 'make_test_run', 'naming_weights',
    'setup_entry_point', 'use_safe_loading'
]
